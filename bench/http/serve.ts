import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

/*
 * A server in a process of its own. Its argument names the file; the parent is told the port, and then, whenever it asks,
 * what the process has spent and how many deliveries it has handled.
 */
interface Module {
  server(): Server | Promise<Server>;
  readonly handled: { readonly count: number };
}

const { server, handled } = (await import(`./servers/${process.argv[2]}.ts`)) as Module;
const listening = await server();
listening.listen(0, "127.0.0.1", () => process.send?.({ port: (listening.address() as AddressInfo).port }));
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuUs: user + system, handled: handled.count });
});
process.on("disconnect", () => process.exit());
