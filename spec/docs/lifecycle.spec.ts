import { expect } from "chai";
import * as front from "../../src/index.ts";
import { busy, receiptOf } from "../../src/receiver/failure.ts";
import { page } from "./pages.ts";

const { text } = page("docs/lifecycle.md");

describe("docs/lifecycle.md", () => {
  const { ProcessError, ProviderUnavailableError, DispatchError, Reject, RetryLater } = front;
  const thrown = (error: Error): Error => new DispatchError("charge.paid", [{ subscriber: "mailer", error }]);
  const statuses = new Set([
    ...[front.BodyTooLargeError, front.BodyTimeoutError, front.RequestAbortedError, front.UnknownEventError].map(
      (Class) => receiptOf(new Class("why")).status,
    ),
    receiptOf(new ProviderUnavailableError("why")).status,
    receiptOf(new Error("why")).status,
    busy().status,
    ...[new RetryLater(), new ProcessError(), new Reject()].map((error) => receiptOf(thrown(error)).status),
    404, // a handler, for a path that is not served
    405, // admission
  ]);

  for (const status of [...statuses].sort()) {
    it(`has ${status} in its table and in its drawing`, () => {
      expect(text).to.match(new RegExp(`^\\| ${status} \\|`, "m"));
      const [drawing = ""] = /^```text\n[\s\S]*?^```$/m.exec(text) ?? [];
      expect(drawing).to.match(new RegExp(`\\b${status}\\b`));
    });
  }

  it("has no status in its table that is never sent", () => {
    const rows = [...text.matchAll(/^\| (\d{3}) \|/gm)].map(([, status]) => Number(status));
    expect(rows.sort()).to.deep.equal([...statuses].sort());
  });

  it("names every outcome but those of what is not there yet", () => {
    for (const outcome of ["handled", "duplicate", "ignored", "challenge", "rejected", "failed"]) {
      expect(text).to.include(`\`${outcome}\``);
    }
  });
});
