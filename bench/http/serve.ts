import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

/*
 * A server in a process of its own. Its first argument names the file, which gets the others; the parent is told the port, and then, whenever it asks,
 * what the process has spent and how many deliveries it has handled.
 */
interface Module {
  server(...args: readonly string[]): Server | Promise<Server>;
  readonly handled: { readonly count: number };
}

const [file, ...args] = process.argv.slice(2);
const { server, handled } = (await import(`./servers/${file}.ts`)) as Module;
const listening = await server(...args);
listening.listen(0, "127.0.0.1", () => process.send?.({ port: (listening.address() as AddressInfo).port }));
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuUs: user + system, handled: handled.count });
});
process.on("disconnect", () => process.exit());
