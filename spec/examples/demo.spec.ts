import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { type Ran, run } from "../package/run.ts";
import { stagedPackage } from "../package/stage.ts";

/** Every row of the demo's table: the delivery, the status, the outcome, and what the subscribers saw. */
const ROWS = [
  ["Stripe: a signed charge", "200", "queued", "charge.succeeded: receipts, charges, ledger, log, audit"],
  ["Stripe: one for a prefix, charge.", "200", "queued", "charge.refunded: charges, ledger, log, audit"],
  ["Stripe: one that nobody names", "200", "queued", "plan.created: ledger, log, audit"],
  ["Stripe: the first one, replayed", "200", "duplicate", "nobody"],
  ["Stripe: a forged signature", "401", "rejected", "nobody: bad_signature"],
  ["Stripe: a signature ten minutes old", "401", "rejected", "nobody: timestamp_too_old"],
  [
    "Stripe: one subscriber fails, once",
    "200",
    "queued",
    "invoice.payment_failed: mailer!, ledger, log, audit, mailer",
  ],
  ["Stripe: that one, delivered again", "200", "duplicate", "nobody"],
  [
    "Stripe: a subscriber asks for later",
    "200",
    "queued",
    "checkout.session.completed: stock!, ledger, log, audit, stock",
  ],
  ["Stripe: the worker dies in mid-work", "200", "queued", "payout.paid: ledger, bank†, bank, log, audit"],
  ["Stripe: it dies in a transaction", "200", "queued", "customer.subscription.updated: ledger†, ledger, log, audit"],
  ["Stripe: unsigned, fetched back", "200", "queued", "customer.created: ledger, log, audit"],
  ["Stripe: unsigned, of an unknown id", "401", "rejected", "nobody: HOOKBUS_UNKNOWN_EVENT"],
  ["Conekta: a charge, fetched back", "200", "queued", "charge.paid: receipts, ledger, log, audit"],
  ["Conekta: ignored, as it is test mode", "200", "ignored", "nobody: retriever"],
  ["Conekta: an unknown id", "401", "rejected", "nobody: HOOKBUS_UNKNOWN_EVENT"],
  ["Conekta: its API is down", "503", "failed", "nobody: HOOKBUS_PROVIDER_UNAVAILABLE"],
  ["Conekta: and up again", "200", "queued", "order.paid: orders, ledger, log, audit"],
  ["Conekta: a digest, webhook key", "200", "queued", "order.paid: orders, ledger, log, audit"],
  ["Conekta: that digest, another body", "401", "rejected", "nobody: bad_signature"],
  ["Conekta: a legacy digest", "200", "queued", "charge.created: ledger, log, audit"],
  ["Conekta: no digest at all", "401", "rejected", "nobody: missing_header"],
];

describe("the demo", function () {
  this.timeout(90_000);

  let ran: Ran;

  before(async () => {
    ran = await demo("demo");
  });

  async function demo(folder: string): Promise<Ran> {
    return run(process.execPath, ["--import", "tsx", `examples/${folder}/main.ts`], { cwd: await stagedPackage() });
  }

  it("ends by itself, with 0, and says nothing on stderr", () => {
    // Node 22 says of its own SQLite that it is an experiment.
    const said = ran.stderr.replace(/^\(node:\d+\) ExperimentalWarning: SQLite.*\n\(Use `.*\n/gm, "");
    expect(said).to.equal("");
    expect(ran.code).to.equal(0);
  });

  it("prints a row for every delivery, in aligned columns", () => {
    const [headings = "", rule = "", ...lines] = ran.stdout.split("\n\n")[0]?.split("\n") ?? [];
    const starts = [...rule.matchAll(/-+/g)].map((match) => match.index);
    const cells = (line: string): string[] =>
      starts.map((start, column) => line.slice(start, starts[column + 1]).trim());
    expect(cells(headings)).to.deep.equal([
      "Delivery",
      "Status",
      "Outcome",
      "What the subscribers saw (! failed, † killed)",
    ]);
    expect(lines.map(cells)).to.deep.equal(ROWS);
  });

  it("fits 120 columns", () => {
    for (const line of ran.stdout.split("\n")) expect(line.length, line).to.be.at.most(120);
  });

  it("ends with one line that sums it up", () => {
    expect(ran.stdout).to.match(
      /\n\n12 events were acknowledged: 0 lost, 0 booked twice\.\n22 of 22 deliveries were handled as they must be\.\n$/,
    );
  });

  it("shows what is not as it must be, and ends with 1", async () => {
    const folder = await stagedPackage();
    await cp(join(folder, "examples/demo"), join(folder, "examples/misled-demo"), { recursive: true });
    const file = join(folder, "examples/misled-demo/deliveries.ts");
    const text = await readFile(file, "utf8");
    const misled = text.replace(
      'queued("plan.created", "ledger", "log", "audit")',
      'queued("plan.created", "receipts", "ledger", "log", "audit")',
    );
    expect(misled).not.to.equal(text);
    await writeFile(file, misled);

    const { code, stdout } = await demo("misled-demo");
    expect(code).to.equal(1);
    expect(stdout).to.match(
      /expected +200 queued, plan\.created: receipts, ledger, log, audit\n +got +200 queued, plan\.created: ledger, log, audit/,
    );
    expect(stdout).to.include("21 of 22 deliveries were handled as they must be.");
  });
});
