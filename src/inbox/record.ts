/** What is kept of the request of a delivery whose signature was verified: all that its verification needs again. */
export interface RecordedRequest {
  readonly method: string;
  readonly url: string;
  /** The fields that the provider's scheme reads, and no others. */
  readonly headers: Readonly<Record<string, string>>;
}

/** An event to be remembered. */
export interface NewRecord {
  /** What makes two deliveries the same event: `stripe:evt_1…`. */
  readonly key: string;
  readonly bus: string;
  readonly provider: string;
  /** The event's id. */
  readonly id: string;
  /** Absent in a signed body that holds nothing but an id. */
  readonly type: string | undefined;
  readonly verifiedBy: "signature" | "retrieval";
  /** The label of the secret that verified the signature. */
  readonly matchedSecret: string | undefined;
  /** A short hash of the event's data, so that a conflicting duplicate can be told. */
  readonly fingerprint: string;
  /** Events of one lane are delivered one after the other. */
  readonly lane: string | undefined;
  /** When the delivery arrived, in milliseconds since 1970, by the bus's clock: the clock that its signature was good by. */
  readonly receivedAt: number;
  /** Absent where the event was fetched back. */
  readonly request: RecordedRequest | undefined;
  /** The raw bytes of the delivery, which may hold other events too; of an event that was fetched back: its JSON. */
  readonly body: Uint8Array;
  /** Remembered without being delivered. */
  readonly ignored?: boolean | undefined;
}

/** What became of an event that was to be remembered. */
export type Recorded =
  | { readonly state: "recorded" }
  /** It was there before. `fingerprint` is the one that it came with first. */
  | { readonly state: "duplicate"; readonly fingerprint: string };

/**
 * Where a record is: waiting for a worker or for its next attempt, with a worker, done, given up, ignored by the retriever
 * or the filter, or discarded by the operator.
 */
export type RecordState = "pending" | "running" | "done" | "dead" | "ignored" | "discarded";

/** Proof that a worker holds a record. Another lease of the same record has another `fence`. */
export interface Lease {
  readonly key: string;
  readonly fence: string;
}

/** A record that a worker has to deliver. */
export interface LeasedRecord extends Omit<NewRecord, "ignored" | "lane"> {
  readonly lease: Lease;
  /** Which attempt this is, from 1: counted when the record was leased. */
  readonly attempt: number;
  /** How many may follow; below zero where all that it had have ended without a word, and it is not to be run again. */
  readonly attemptsLeft: number;
  /** The subscribers that earlier attempts finished, those that rejected the event for good included. */
  readonly done: readonly string[];
  /** Whether one of them rejected it, so that it can only end dead. */
  readonly rejected: boolean;
  /** Of a replay for some subscribers: those. */
  readonly only: readonly string[] | undefined;
  /** Of a replay for some subscribers: whether the event was done without them. */
  readonly wasDone: boolean;
  /** Whether an operator asked for it again: then its signature is verified again, by the clock of its arrival. */
  readonly replayed: boolean;
}

/** What a subscriber, or what came before the subscribers, failed with. It may quote a payload: not for logs. */
export interface Failure {
  /** Absent where no subscriber is to blame: the provider's API, say. */
  readonly subscriber?: string | undefined;
  /** The error's `code`, or else its class. */
  readonly error: string;
  readonly message: string;
}

/** How one attempt ended. */
export type Outcome =
  | { readonly outcome: "done" }
  | { readonly outcome: "ignored" }
  /** Some subscriber wants another try; `afterMs` where it says when. */
  | { readonly outcome: "failed"; readonly failures: readonly Failure[]; readonly afterMs?: number | undefined }
  /** No further try makes sense. */
  | { readonly outcome: "dead"; readonly failures: readonly Failure[] };

/** A finished attempt. */
export interface Attempt {
  readonly attempt: number;
  readonly startedAt: number;
  /** Absent where its worker vanished. */
  readonly endedAt: number | undefined;
  readonly outcome: Outcome["outcome"] | "lost" | "given back";
  readonly failures: readonly Failure[];
}

/** What `find` tells of a record. Times are in milliseconds since 1970. */
export interface RecordSummary {
  readonly key: string;
  readonly bus: string;
  readonly provider: string;
  readonly id: string;
  readonly type: string | undefined;
  readonly state: RecordState;
  readonly verifiedBy: "signature" | "retrieval";
  readonly receivedAt: number;
  /** How many attempts were begun since it was recorded, or since the last replay. */
  readonly attempts: number;
  /** Of a pending one: when it is due. */
  readonly dueAt: number | undefined;
  /** When it became done, dead, ignored or discarded. */
  readonly endedAt: number | undefined;
  /** Whether the body is gone, so that it cannot be replayed. */
  readonly purged: boolean;
}

/** What one subscriber made of an event. */
export interface SubscriberState {
  readonly subscriber: string;
  readonly state: "done" | "rejected" | "failed";
  /** When it was marked, or last failed. */
  readonly at: number;
}

/** All that is known of a record. */
export interface RecordDetails extends RecordSummary {
  readonly matchedSecret: string | undefined;
  readonly request: RecordedRequest | undefined;
  /** The raw bytes, or the JSON of a fetched event; absent once purged. */
  readonly body: Uint8Array | undefined;
  readonly subscribers: readonly SubscriberState[];
  /** The attempts of which something is known, the oldest first. */
  readonly history: readonly Attempt[];
  /** What operators did with it, the oldest first. */
  readonly audit: readonly AuditEntry[];
}

export interface AuditEntry {
  readonly at: number;
  readonly action: "replay" | "discard";
  /** The subscribers that a replay was for; absent: all. */
  readonly subscribers: readonly string[] | undefined;
}
