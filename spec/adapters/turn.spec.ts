import { AsyncLocalStorage } from "node:async_hooks";
import { expect } from "chai";
import { nodeHandler } from "../../src/adapters/node.ts";
import { sharedTurn, turn } from "../../src/adapters/turn.ts";
import { RecordingEndpoint } from "../support/endpoint.ts";
import { startServer } from "../support/server.ts";

describe("a turn of the event loop that is shared", () => {
  // What another spec has left waiting goes on first.
  beforeEach(turn);

  it("waits for the end of the turn", async () => {
    const order: string[] = [];
    const waits = [1, 2, 3].map((each) => sharedTurn().then(() => order.push(`${each}`)));
    await Promise.resolve().then(() => order.push("microtask"));
    await new Promise<void>((resolve) => process.nextTick(resolve)).then(() => order.push("tick"));
    await Promise.all(waits);
    expect(order).to.deep.equal(["microtask", "tick", "1", "2", "3"]);
  });

  it("ends early for who has asked by then, when the first has waited two milliseconds", async () => {
    const order: string[] = [];
    const all = [0, 1.5, 2, 2.1, 2.2].map((now) => sharedTurn(now).then(() => order.push(`${now}`)));
    await Promise.race([Promise.all(all.slice(0, 4)), turn().then(() => order.push("turn"))]);
    expect(order).to.deep.equal(["0", "1.5", "2", "2.1"]);
    await all[4];
    expect(order.at(-1)).to.equal("2.2");
  });

  it("is not let go by the end of a turn that others have not waited for", async () => {
    for (const now of [0, 3]) void sharedTurn(now);
    // Others begin after the first went on, in the same turn: its end is theirs alone.
    const second = Promise.all([3.1, 3.2].map((now) => sharedTurn(now)));
    let over = false;
    void second.then(() => {
      over = true;
    });
    await Promise.resolve();
    expect(over).to.equal(false);
    await second;
  });

  it("does not wait for timers that a spec has put in the place of Node's", async () => {
    const { setImmediate: original } = globalThis;
    globalThis.setImmediate = (() => undefined) as never;
    try {
      await sharedTurn();
      await turn();
    } finally {
      globalThis.setImmediate = original;
    }
  });

  it("is finished by each request in its own async context", async () => {
    const context = new AsyncLocalStorage<string>();
    const seen: [string | undefined, string | undefined][] = [];
    const handler = nodeHandler(new RecordingEndpoint());
    const server = await startServer((req, res) =>
      context.run(req.url ?? "", () => {
        res.on("finish", () => seen.push([req.url, context.getStore()]));
        void handler(req, res);
      }),
    );
    try {
      const paths = ["/one", "/two", "/three"];
      await Promise.all(paths.map((path) => fetch(`${server.url}${path}`, { method: "POST", body: "{}" })));
      expect(seen.toSorted()).to.deep.equal(paths.map((path) => [path, path]).toSorted());
    } finally {
      await server.close();
    }
  });
});
