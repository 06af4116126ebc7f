/** How an event was found genuine: by the signature of its delivery, by fetching it back, or (trusted calls) not at all. */
export type VerifiedBy = "signature" | "retrieval" | "nothing";

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
  #controller: AbortController | undefined;

  constructor(facts: DeliveryFacts, subscriber: string) {
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
