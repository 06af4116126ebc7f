import type { Fault } from "./options.ts";

/** Where the inbox of a run is. */
export type Address =
  | { readonly inbox: "sqlite"; readonly path: string }
  | { readonly inbox: "postgres"; readonly url: string; readonly schema: string }
  | { readonly inbox: "redis"; readonly port: number };

/** What a process is told when it is started. */
export interface Task {
  readonly address: Address;
  readonly seed: number;
  readonly fault: Fault | undefined;
  /** The name of the process in the journal. */
  readonly process: string;
  readonly journal: string;
  /** A folder for the failures that have happened, a file for each. */
  readonly failures: string;
  /** Where the bus logs to. */
  readonly log: string;
}

/** What a process says when it is up: a receiver, where it listens. */
export interface Up {
  readonly up: true;
  readonly port?: number;
}

/** What a process is told when the run is over. */
export const STOP = "stop";

/** Shared by the bus and whoever signs. Worth nothing anywhere else. */
export const SIGNING_SECRET = "whsec_hookbus_soak_secret";
