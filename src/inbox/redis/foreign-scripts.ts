import type { Redis } from "ioredis";
import { delivering, FOREIGN, type ForeignName, type ForeignScript, recording } from "./foreign-steps.ts";

/** The commands that run several of them in one step. */
export const DELIVERING = "hookbusDelivering";
export const RECORDING = "hookbusRecording";

/**
 * The scripts of BullMQ's that hookbus runs several of in one step. What they do is BullMQ's affair, and so is what they are
 * told; hookbus takes them from the client to which BullMQ gives them.
 */
export class ForeignScripts {
  readonly #known = new Map<string, ForeignScript>();
  readonly #client: Redis;
  #ready = false;

  constructor(client: Redis) {
    this.#client = client;
    const define = client.defineCommand.bind(client);
    client.defineCommand = (command, definition) => {
      const { lua, numberOfKeys = 0 } = definition;
      const name = nameOf(command);
      if (name) this.#known.set(name, { lua, numberOfKeys });
      define(command, definition);
    };
  }

  /** Whether several can be run in one step: BullMQ has told its client of all of them. */
  get known(): boolean {
    if (this.#known.size < FOREIGN.length) return false;
    if (!this.#ready) {
      const scripts = Object.fromEntries(this.#known) as Record<ForeignName, ForeignScript>;
      this.#client.defineCommand(DELIVERING, { numberOfKeys: 1, lua: delivering(scripts) });
      this.#client.defineCommand(RECORDING, { numberOfKeys: 1, lua: recording(scripts) });
      this.#ready = true;
    }
    return true;
  }

  /** The script that a command of BullMQ's stands for, if it can be run together with others. */
  of(command: string): ForeignName | undefined {
    return this.known ? nameOf(command) : undefined;
  }
}

/** BullMQ has its version in the names of its commands. */
function nameOf(command: string): ForeignName | undefined {
  const [name] = command.split(":");
  return FOREIGN.find((each) => each === name);
}
