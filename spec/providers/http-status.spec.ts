import { expect } from "chai";
import { isOurFault } from "../../src/providers/http-status.ts";

describe("isOurFault", () => {
  it("blames us for refusals that will not pass", () => {
    for (const status of [400, 401, 402, 403, 404, 422, 499]) expect(isOurFault(status), `${status}`).to.equal(true);
  });

  it("does not blame us for anything else", () => {
    for (const status of [undefined, 0, 200, 302, 399, 408, 409, 429, 500, 503]) {
      expect(isOurFault(status), `${status}`).to.equal(false);
    }
  });
});
