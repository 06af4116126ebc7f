import { ConfigurationError } from "../errors.ts";
import type { Marks } from "./marks.ts";

/** How an event was found genuine: by the signature of its delivery, by fetching it back, or (trusted calls) not at all. */
export type VerifiedBy = "signature" | "retrieval" | "nothing";

const NO_DATABASE =
  "needs an inbox or an idempotency store on PostgreSQL or SQLite: set `inbox` or `idempotency` of the bus";

/** What hookbus knows of a delivery, besides the event itself. */
export interface DeliveryFacts {
  /** The bus's name. */
  readonly bus: string;
  /** The provider's name. */
  readonly provider: string;
  readonly id: string;
  readonly type: string;
  /** What makes two deliveries the same event: `stripe:evt_1…`. */
  readonly key: string;
  readonly verifiedBy: VerifiedBy;
  /** The label of the secret that verified the signature, such as `signingSecrets[1]`. */
  readonly matchedSecret: string | undefined;
  readonly livemode: boolean | undefined;
  readonly created: Date | undefined;
  readonly account: string | undefined;
}

/** What a subscriber gets beside the event. */
export class DeliveryContext implements DeliveryFacts {
  readonly bus: string;
  readonly provider: string;
  readonly id: string;
  readonly type: string;
  readonly key: string;
  readonly verifiedBy: VerifiedBy;
  readonly matchedSecret: string | undefined;
  readonly livemode: boolean | undefined;
  readonly created: Date | undefined;
  readonly account: string | undefined;
  /** The name of the subscriber that this context is for. */
  readonly subscriber: string;
  readonly #mark: string;
  readonly #marks: Marks | undefined;
  #controller: AbortController | undefined;
  #transacted = false;

  constructor(facts: DeliveryFacts, subscriber: string, mark: string = subscriber, marks?: Marks) {
    this.bus = facts.bus;
    this.provider = facts.provider;
    this.id = facts.id;
    this.type = facts.type;
    this.key = facts.key;
    this.verifiedBy = facts.verifiedBy;
    this.matchedSecret = facts.matchedSecret;
    this.livemode = facts.livemode;
    this.created = facts.created;
    this.account = facts.account;
    this.subscriber = subscriber;
    this.#mark = mark;
    this.#marks = marks;
  }

  /**
   * Runs `fn` in one database transaction with the record that this subscriber is done with this event: an effect that
   * happens exactly once. Resolves to what `fn` returned, once both are committed. What `fn` throws rolls both back.
   *
   * PostgreSQL: `fn` gets a client, and may be async. SQLite: `fn` gets a database and must be synchronous; a promise is
   * a `TypeError`, and is rolled back. Rejects with `StaleTokenError`, rolled back, when another worker has the event by
   * now; with `ConfigurationError` where neither an inbox nor an idempotency store on such a database is set. Once a run.
   */
  async transaction<Tx, T>(fn: (tx: Tx) => T | Promise<T>): Promise<T> {
    const marks = this.#marks;
    if (!marks?.transaction) throw new ConfigurationError(`\`context.transaction\` ${NO_DATABASE}`);
    if (typeof fn !== "function") throw new TypeError("`fn` must be a function that takes the transaction");
    this.#transactOnce();
    try {
      return await marks.transaction(this.#mark, fn);
    } catch (error) {
      // Rolled back: the subscriber may try again.
      this.#transacted = false;
      throw error;
    }
  }

  /**
   * Records that this subscriber is done with this event in a transaction that you own, for an ORM: its commit commits
   * both, its rollback neither. Call it last. Rejects as `transaction` does; let that roll your transaction back.
   *
   * @param executor PostgreSQL: a client, or a function `(text, values) => result`. SQLite: a database.
   */
  async markDone<Executor>(executor: Executor): Promise<void> {
    const marks = this.#marks;
    if (!marks?.markDoneWithin) throw new ConfigurationError(`\`context.markDone\` ${NO_DATABASE}`);
    this.#transactOnce();
    await marks.markDoneWithin(this.#mark, executor);
  }

  #transactOnce(): void {
    // A second transaction would find its mark set, and could not tell whether by itself.
    if (this.#transacted) throw new TypeError("a subscriber has one transaction a run: put all of its work into it");
    this.#transacted = true;
  }

  /** Aborted when the subscriber's `timeoutMs` has run out. */
  get signal(): AbortSignal {
    // Most subscribers never look: the controller is made for those that do.
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  /** @internal */
  abort(reason: unknown): void {
    this.#controller ??= new AbortController();
    this.#controller.abort(reason);
  }
}
