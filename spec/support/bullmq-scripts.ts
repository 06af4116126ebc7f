import { Queue } from "bullmq";
import { Redis } from "ioredis";

/** Keeps hookbus from BullMQ's scripts, as a version would that has other names for them. Gives what ends that. */
export async function hideScripts(url: string): Promise<() => void> {
  // BullMQ defines no command that its client has already.
  const probe = new Redis(url);
  await new Queue("probe", { connection: probe }).waitUntilReady();
  probe.disconnect();
  const commands = Object.entries(probe).filter(([name]) => /^moveTo(?:Active|Finished):[\d.]+$/.test(name));
  if (commands.length !== 2) throw new Error("BullMQ has other names for its scripts");
  const prototype = Redis.prototype as unknown as Record<string, unknown>;
  for (const [name, command] of commands) prototype[name] = command;
  return () => {
    for (const [name] of commands) delete prototype[name];
  };
}
