import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { nodeHandler } from "../../src/adapters/node.ts";
import { together, turn } from "../../src/adapters/together.ts";

describe("what is written together", () => {
  // What another spec has left waiting goes on first.
  beforeEach(turn);

  it("waits for the end of the turn", async () => {
    const order: string[] = [];
    const waits = [1, 2, 3].map((each) => together().then(() => order.push(`${each}`)));
    await Promise.resolve().then(() => order.push("microtask"));
    await new Promise<void>((resolve) => process.nextTick(resolve)).then(() => order.push("tick"));
    await Promise.all(waits);
    expect(order).to.deep.equal(["microtask", "tick", "1", "2", "3"]);
  });

  it("waits for eight at the most", async () => {
    const order: string[] = [];
    const all = Array.from({ length: 9 }, (_, each) => together().then(() => order.push(`${each}`)));
    await Promise.race([Promise.all(all.slice(0, 8)), turn().then(() => order.push("turn"))]);
    expect(order).to.deep.equal(["0", "1", "2", "3", "4", "5", "6", "7"]);
    await all[8];
    expect(order.at(-1)).to.equal("8");
  });

  it("is not let go by the end of a turn that eight have not waited for", async () => {
    for (let each = 0; each < 8; each += 1) void together();
    // Another eight begin after the first went on, in the same turn: its end is theirs alone.
    const second = Promise.all(Array.from({ length: 3 }, together));
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
      await together();
      await turn();
    } finally {
      globalThis.setImmediate = original;
    }
  });

  it("is finished by each request in its own async context", async () => {
    const context = new AsyncLocalStorage<string>();
    const seen: [string | undefined, string | undefined][] = [];
    const endpoint = {
      respond: async () => ({ status: 200, headers: {}, body: "", outcome: "handled" as const }),
      assertReady: () => undefined,
      logger: { info() {}, warn() {}, error() {} },
    };
    const handler = nodeHandler(endpoint);
    const server = createServer((req, res) =>
      context.run(req.url ?? "", () => {
        res.on("finish", () => seen.push([req.url, context.getStore()]));
        void handler(req, res);
      }),
    );
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    try {
      const paths = ["/one", "/two", "/three"];
      await Promise.all(paths.map((path) => fetch(`http://127.0.0.1:${port}${path}`)));
      expect(seen.toSorted()).to.deep.equal(paths.map((path) => [path, path]).toSorted());
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
