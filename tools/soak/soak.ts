import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPrograms } from "./build.ts";
import { Crew } from "./crew.ts";
import { type Host, hostOf } from "./hosts.ts";
import type { Options } from "./options.ts";
import { planOf } from "./plan.ts";
import { type Soaked, SoakRun, type Tell } from "./soak-run.ts";

/** Runs the whole of it: processes, deliveries, blows, and the verdict. */
export async function soak(options: Options, tell: Tell, signal: AbortSignal): Promise<Soaked> {
  const folder = await mkdtemp(join(tmpdir(), "hookbus-soak-"));
  let host: Host | undefined;
  try {
    const programs = await buildPrograms(join(folder, "build"));
    host = await hostOf(options.inbox, folder);
    const task = {
      address: host.address,
      seed: options.seed,
      fault: options.fault,
      journal: join(folder, "journal"),
      failures: join(folder, "failures"),
      log: join(folder, "log"),
    };
    await mkdir(task.failures);
    const crew = new Crew(programs, task);
    const run = new SoakRun({ options, plan: planOf(options), host, crew, task, folder, tell, signal });
    try {
      return await run.run();
    } finally {
      await crew.stop();
    }
  } finally {
    await host?.close();
    if (options.keep) tell(`kept ${folder}`);
    else await rm(folder, { recursive: true, force: true });
  }
}
