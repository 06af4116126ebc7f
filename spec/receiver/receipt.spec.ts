import { expect } from "chai";
import { RetryLater } from "../../src/errors.ts";
import { refusedForNow } from "../../src/receiver/receipt.ts";
import { anEvent, bytes, SECRET, signed, stripeBus } from "./harness.ts";

describe("refusedForNow", () => {
  it("never asks for more seconds than every client can count (RFC 9111, section 1.2.2)", () => {
    const most = 2 ** 31;
    const asked = [most - 1, most - 0.5, most, most + 1, 1e21, 1e300, Number.POSITIVE_INFINITY].map(
      (seconds) => refusedForNow(503, "failed", seconds).headers["retry-after"],
    );
    expect(asked).to.deep.equal(["2147483647", ...Array(6).fill("2147483648")]);
  });

  it("is what a subscriber gets that asks for a later try in an age", async () => {
    const bus = stripeBus();
    bus.all(() => {
      throw new RetryLater(1e300);
    });
    const event = anEvent();
    const headers = signed(event, Date.now(), SECRET);
    const receipt = await bus.receive({ method: "POST", url: "/", headers, body: bytes(JSON.stringify(event)) });
    expect([receipt.status, receipt.headers["retry-after"]]).to.deep.equal([503, "2147483648"]);
  });
});
