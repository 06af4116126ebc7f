import { expect } from "chai";
import { retryAfter } from "../../src/providers/retry-after.ts";

describe("retryAfter", () => {
  it("reads seconds", () => {
    expect(retryAfter({ "retry-after": "7" })).to.deep.equal({ retryAfterSeconds: 7 });
    expect(retryAfter({ "retry-after": 0 })).to.deep.equal({ retryAfterSeconds: 0 });
  });

  it("asks for an hour at most", () => {
    expect(retryAfter({ "retry-after": "3600" })).to.deep.equal({ retryAfterSeconds: 3600 });
    expect(retryAfter({ "retry-after": "3601" })).to.deep.equal({ retryAfterSeconds: 3600 });
    expect(retryAfter({ "retry-after": "999999999" })).to.deep.equal({ retryAfterSeconds: 3600 });
  });

  it("is empty where there is nothing to read", () => {
    const odd = ["", "-1", "1.5", "soon", "7 ", " 7", "1000000000", "Wed, 21 Oct 2026 07:28:00 GMT"];
    for (const value of odd) expect(retryAfter({ "retry-after": value }), value).to.deep.equal({});
    for (const headers of [undefined, null, {}, "retry-after", 5]) expect(retryAfter(headers)).to.deep.equal({});
  });
});
