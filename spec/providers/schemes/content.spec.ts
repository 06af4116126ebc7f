import { expect } from "chai";
import { ConfigurationError } from "../../../src/errors.ts";
import { content, type SignedValues } from "../../../src/providers/schemes/content.ts";

const BODY = Buffer.from([0xff, 0]);
const VALUES: SignedValues = {
  request: { method: "PUT", url: "/seen", headers: {}, body: BODY },
  timestamp: "0170",
  id: "msg_1",
  url: "https://a.example/b",
};

describe("content", () => {
  it("puts values where they are named, and the body as it is", () => {
    const pieces = content("{id}.{timestamp}.{body}")(VALUES);
    expect(pieces).to.deep.equal(["msg_1", ".", "0170", ".", BODY]);
    expect(pieces?.[4]).to.equal(BODY);
    expect(content("{body}")(VALUES)).to.deep.equal([BODY]);
    expect(content("v0:{method}{url}\n{body}{body}")(VALUES)).to.deep.equal([
      "v0:",
      "PUT",
      "https://a.example/b",
      "\n",
      BODY,
      BODY,
    ]);
  });

  it("keeps braces that name nothing", () => {
    expect(content("{}{ body }{body}}")(VALUES)).to.deep.equal(["{}{ body }", BODY, "}"]);
    expect(content("")(VALUES)).to.deep.equal([]);
  });

  it("does not read what it puts in", () => {
    expect(content("{id}{timestamp}")({ ...VALUES, id: "{body}" })).to.deep.equal(["{body}", "0170"]);
  });

  it("refuses a field that there is not, when it is made", () => {
    expect(() => content("{bodi}")).to.throw(
      ConfigurationError,
      "`content` names {bodi}: there are body, timestamp, id, url, method",
    );
  });
});
