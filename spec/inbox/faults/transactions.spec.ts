import { expect } from "chai";
import { ConfigurationError } from "../../../src/errors.ts";
import { memoryInbox } from "../../../src/inbox/memory.ts";
import { anEvent } from "../../receiver/harness.ts";
import { rejectionOf } from "../../support/bus.ts";
import { until } from "../scripted-bus.ts";
import { transactionContract } from "../transactions.ts";
import { ENGINES } from "./engines.ts";
import { aProcess, ProcessClock } from "./process.ts";
import { post } from "./storage.ts";

for (const engine of ENGINES) transactionContract(engine);

describe("transactions with an inbox in memory", () => {
  it("are refused: there is nothing that could hold both", async () => {
    const refused: unknown[] = [];
    const process = aProcess(new ProcessClock(), {
      ledger: async (context) => {
        refused.push(await rejectionOf(context.transaction(() => {})), await rejectionOf(context.markDone({})));
      },
    });
    const inbox = memoryInbox();
    process.bus.inbox = inbox;
    await post(process.bus, anEvent());
    process.work(inbox);
    await until(() => process.attempts.length === 1);
    for (const error of refused) expect(error).to.be.instanceOf(ConfigurationError);
    expect(refused.map(String).join()).to.contain("context.transaction").and.contain("context.markDone");
    await inbox.close();
  });
});
