import { type ChildProcess, fork } from "node:child_process";
import type { Programs } from "./build.ts";
import type { Struck } from "./exposure.ts";
import { RECEIVERS, type Slot, WORKERS } from "./plan.ts";
import { STOP, type Task, type Up } from "./task.ts";

/** A process that is running, or about to. */
interface Member {
  readonly slot: Slot;
  /** Its name in the journal: another one after every restart. */
  readonly process: string;
  readonly child: ChildProcess;
  up: boolean;
  port: number | undefined;
  /** Of one that is frozen. */
  thaw: NodeJS.Timeout | undefined;
  thawsAt: number;
  /** Of one that was to be killed while it was frozen. */
  death: NodeJS.Timeout | undefined;
  /** Whether its end is the soak's doing. */
  ended: boolean;
}

/** How long processes may take to end by themselves, in milliseconds. */
const STOP_MS = 15_000;

/** How long a process goes on after a freeze before it may be killed, in milliseconds: that is what it was frozen for. */
const REPRIEVE_MS = 3_000;

/** A process that ends by itself is started again after so long, lest it do so all day. */
const AGAIN_MS = 500;

/** The receivers and workers, each started again as soon as it is gone. */
export class Crew {
  /** What befell them, for the judge. */
  readonly struck: Struck[] = [];
  /** Processes that ended without having been killed: no fault of the soak's. */
  readonly crashes: string[] = [];
  readonly #programs: Programs;
  readonly #task: Omit<Task, "process">;
  readonly #members = new Map<string, Member>();
  readonly #last = (): void => this.#killAll();
  #started = 0;
  #stopping = false;

  constructor(programs: Programs, task: Omit<Task, "process">) {
    this.#programs = programs;
    this.#task = task;
    process.once("exit", this.#last);
  }

  start(): void {
    for (let index = 0; index < RECEIVERS; index += 1) this.#start({ role: "receiver", index });
    for (let index = 0; index < WORKERS; index += 1) this.#start({ role: "worker", index });
  }

  /** Where a receiver listens; undefined while it does not. */
  portOf(index: number): number | undefined {
    return this.#members.get(nameOf({ role: "receiver", index }))?.port;
  }

  kill(slot: Slot): void {
    const member = this.#victim(slot);
    if (!member) return;
    if (member.thaw) {
      member.death = setTimeout(() => this.#killNow(member), member.thawsAt - Date.now() + REPRIEVE_MS);
    } else this.#killNow(member);
  }

  /** The process in a slot; where it is about to be killed already, the next one that does the same. */
  #victim(slot: Slot): Member | undefined {
    return this.slotsFrom(slot)
      .map((each) => this.#members.get(nameOf(each)))
      .find((member) => !member?.death);
  }

  #killNow(member: Member): void {
    if (member.ended || this.#stopping) return;
    this.struck.push({ process: member.process, from: Date.now(), to: Number.POSITIVE_INFINITY });
    end(member);
    this.#start(member.slot);
  }

  /** The name in the journal of the process in a slot, where it is up and is not about to be killed. */
  processAt(slot: Slot): string | undefined {
    const member = this.#members.get(nameOf(slot));
    return member?.up && !member.death ? member.process : undefined;
  }

  /** A slot, and after it the others of its role. */
  slotsFrom({ role, index }: Slot): readonly Slot[] {
    const count = role === "receiver" ? RECEIVERS : WORKERS;
    return Array.from({ length: count }, (_, step) => ({ role, index: (index + step) % count }));
  }

  isFrozen(role: Slot["role"]): boolean {
    return [...this.#members.values()].some(({ slot, thaw }) => slot.role === role && thaw);
  }

  freeze(slot: Slot, ms: number): void {
    const member = this.#members.get(nameOf(slot));
    if (!member || member.thaw) return;
    const from = Date.now();
    member.child.kill("SIGSTOP");
    member.thawsAt = from + ms;
    member.thaw = setTimeout(() => {
      member.thaw = undefined;
      member.child.kill("SIGCONT");
      this.struck.push({ process: member.process, from, to: Date.now() });
    }, ms);
  }

  /** Whether some blow is still to have its full effect. */
  get suffering(): boolean {
    return [...this.#members.values()].some(({ thaw, death }) => thaw ?? death);
  }

  /** Lets all of them end in good order. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const members = [...this.#members.values()];
    await Promise.all(members.map((member) => stopped(member)));
    process.removeListener("exit", this.#last);
  }

  #start(slot: Slot): void {
    this.#started += 1;
    const name = `${nameOf(slot)}.${this.#started}`;
    const task: Task = { ...this.#task, process: name };
    const child = fork(this.#programs[slot.role], [JSON.stringify(task)], {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    const member: Member = {
      slot,
      process: name,
      child,
      up: false,
      port: undefined,
      thaw: undefined,
      thawsAt: 0,
      death: undefined,
      ended: false,
    };
    child.on("message", (message) => {
      member.up = true;
      member.port = (message as Up).port;
    });
    // A message to a process that is just being killed: it is the end of it that counts.
    child.on("error", () => undefined);
    child.once("exit", (code, signal) => this.#ended(member, `${name} ended with ${signal ?? code}`));
    this.#members.set(nameOf(slot), member);
  }

  #ended(member: Member, how: string): void {
    if (member.ended || this.#stopping) return;
    this.crashes.push(how);
    member.port = undefined;
    setTimeout(() => {
      if (!this.#stopping && this.#members.get(nameOf(member.slot)) === member) this.#start(member.slot);
    }, AGAIN_MS);
  }

  #killAll(): void {
    this.#stopping = true;
    for (const member of this.#members.values()) end(member);
  }
}

const nameOf = ({ role, index }: Slot): string => `${role}${index}`;

function end(member: Member): void {
  member.ended = true;
  member.port = undefined;
  clearTimeout(member.thaw);
  clearTimeout(member.death);
  member.thaw = undefined;
  member.death = undefined;
  // Ends a frozen process as well.
  member.child.kill("SIGKILL");
}

async function stopped(member: Member): Promise<void> {
  const { child, thaw } = member;
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  if (thaw) child.kill("SIGCONT");
  if (child.connected) child.send(STOP);
  const timer = setTimeout(() => end(member), STOP_MS);
  await exit;
  clearTimeout(timer);
}
