import { writeSync } from "node:fs";
import { Job, Worker } from "bullmq";
import { Redis } from "ioredis";
import { redisInbox } from "../../../src/inbox/redis.ts";
import { stripeBus } from "../../receiver/harness.ts";
import { hideScripts } from "../../support/bullmq-scripts.ts";

/** Where the process stops, to be killed there; `poison`: where it kills itself. */
export type Seam = "given" | "taken" | "claimed" | "begun" | "written" | "marked" | "ended" | "told" | "poison";

export interface Task {
  readonly url: string;
  readonly seam: Seam;
}

/** Lease and attempts of all processes of a spec. */
export const TERMS = { leaseMs: 600, attempts: 2, backoff: { baseMs: 1, capMs: 1 } };

/** Says where the process is, and stops it there, timers, heartbeats and all. */
function stop(seam: Seam): never {
  writeSync(1, `at ${seam}\n`);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  throw new Error("unreachable");
}

async function work({ url, seam }: Task): Promise<void> {
  const stopAt = (here: Seam): void => {
    if (seam === here) stop(here);
  };
  const redis = new Redis(url);
  const bus = stripeBus();
  bus.eventFilter = (event) => {
    stopAt("claimed");
    return event;
  };
  bus.subscribe(
    "charge.",
    async () => {
      if (seam === "poison") process.kill(process.pid, "SIGKILL");
      stopAt("begun");
      await redis.rpush("effects", "ledger");
      stopAt("written");
    },
    { name: "ledger" },
  );
  bus.subscribe(
    "charge.",
    async () => {
      stopAt("marked");
      await redis.rpush("effects", "mailer");
    },
    { name: "mailer" },
  );
  bus.notifications.subscribe("hookbus.", (step) => {
    if (step.name === "hookbus.attempt") stopAt("ended");
  });
  if (seam === "given") {
    // BullMQ has given the job to this worker, and hookbus has not begun.
    const getNextJob = Worker.prototype.getNextJob;
    Worker.prototype.getNextJob = async function (token, options) {
      const job = await getNextJob.call(this, token, options);
      if (job) stop("given");
      return job;
    };
  }
  if (seam === "taken") {
    // BullMQ has given several jobs to this worker, and attempts at them are begun.
    const getNextJob = Worker.prototype.getNextJob;
    Worker.prototype.getNextJob = async function (token, options) {
      const job = await getNextJob.call(this, token, options);
      if (job && options?.block === false) stop("taken");
      return job;
    };
  }
  if (seam === "told") {
    // The end is written, and BullMQ has not been told: two steps, where hookbus does not know BullMQ's scripts.
    await hideScripts(url);
    Job.prototype.moveToCompleted = () => stop("told");
  }
  const inbox = redisInbox({ ...TERMS, connection: url });
  bus.inbox = inbox;
  inbox.work(bus);
}

const [, , task] = process.argv;
if (task?.startsWith("{")) void work(JSON.parse(task) as Task);
