import type { VerifiedBy } from "./context.ts";

/**
 * hookbus's own steps, published under `hookbus.`: a receipt, and the parts of the way to it. `hookbus.diagnose` comes
 * after the answer to a refused delivery was given, and says what may be the matter. With an inbox, `hookbus.attempt` is
 * a worker's, for each attempt that ended, and `hookbus.inbox` tells of trouble that keeps a worker from its work.
 */
export interface Step {
  readonly name:
    | "hookbus.receive"
    | "hookbus.verify"
    | "hookbus.retrieve"
    | "hookbus.deliver"
    | "hookbus.diagnose"
    | "hookbus.attempt"
    | "hookbus.inbox";
  readonly bus: string;
  readonly provider: string;
  readonly durationMs: number;
  /** What came of it; of a receipt, its outcome. Safe for a metric label. */
  readonly outcome: string;
  /** Of a receipt: the status sent. */
  readonly status?: number | undefined;
  /** Of a refusal: why, in a word, for the operator alone. */
  readonly reason?: string | undefined;
  /** Of a refusal: what the operator may look at. */
  readonly hint?: string | undefined;
  /** Of a diagnosis: what would have made the signature good, in a word, such as `clock_skew`; `nothing` if unknown. */
  readonly finding?: string | undefined;
  readonly id?: string | undefined;
  readonly type?: string | undefined;
  readonly verifiedBy?: VerifiedBy | undefined;
  readonly matchedSecret?: string | undefined;
  /** Of a worker's attempt: which it was, from 1. */
  readonly attempt?: number | undefined;
  /** Of a delivery to a subscriber. */
  readonly subscriber?: string | undefined;
  /** A duplicate whose data differ from those of the first delivery. */
  readonly conflict?: boolean | undefined;
  /** What failed. It may quote a payload: not for logs. */
  readonly error?: unknown;
}

export type StepListener = (step: Step) => unknown;

/** The prefix of the steps; events never have it. */
export const STEPS = "hookbus";
