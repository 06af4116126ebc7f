/**
 * The base of every error that hookbus throws, returns or logs.
 *
 * Decide by `code`: it is stable across releases, messages are not. `cause` keeps the error underneath, if there is one.
 */
export class HookbusError extends Error {
  readonly code: string = "HOOKBUS_ERROR";

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }

  /** `DispatchError` counts as well: it extends AggregateError, and a class has one parent. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore-start lint/complexity/noThisInStatic: it is the subclass that `instanceof` asks for
    const isOne = Function.prototype[Symbol.hasInstance].call(this, value);
    return isOne || (this === HookbusError && value instanceof DispatchError);
    // biome-ignore-end lint/complexity/noThisInStatic: see above
  }
}

/** A setting is missing, malformed or contradicts another one. The message names the setting and what to write. */
export class ConfigurationError extends HookbusError {
  override readonly code = "HOOKBUS_CONFIGURATION";
}

/** An optional peer package is needed and not installed. The message holds the install command. */
export class MissingPeerError extends HookbusError {
  override readonly code = "HOOKBUS_MISSING_PEER";
  readonly peer: string;

  constructor(peer: string, need: string, options?: ErrorOptions) {
    super(`${need} needs the package "${peer}", which is not installed. Run: npm install ${peer}`, options);
    this.peer = peer;
  }
}

/** The signature was good and the payload is not an event: not JSON, no id, no type, nested too deeply. */
export class PayloadError extends HookbusError {
  override readonly code = "HOOKBUS_PAYLOAD";
}

/** The body was larger than `maxBodyBytes`. */
export class BodyTooLargeError extends HookbusError {
  override readonly code = "HOOKBUS_BODY_TOO_LARGE";
}

/** The body did not arrive within the body timeout. */
export class BodyTimeoutError extends HookbusError {
  override readonly code = "HOOKBUS_BODY_TIMEOUT";
}

/** The client went away before the body was complete. */
export class RequestAbortedError extends HookbusError {
  override readonly code = "HOOKBUS_REQUEST_ABORTED";
}

/** A framework parsed the body before the handler saw it, and the raw bytes are gone. */
export class RawBodyUnavailableError extends HookbusError {
  override readonly code = "HOOKBUS_RAW_BODY_UNAVAILABLE";
}

/** The provider does not know the event id that was posted, or answered with another event. */
export class UnknownEventError extends HookbusError {
  override readonly code = "HOOKBUS_UNKNOWN_EVENT";
}

/** The provider refused our own API key: a fault on this side, so that no delivery may be lost to it. */
export class RetrievalRefusedError extends HookbusError {
  override readonly code = "HOOKBUS_RETRIEVAL_REFUSED";
}

export interface ProviderUnavailableOptions extends ErrorOptions {
  readonly retryAfterSeconds?: number | undefined;
  readonly rateLimited?: boolean | undefined;
}

/** The provider's API is down, slow, limiting us, or answers nonsense; or too many retrievals wait already. */
export class ProviderUnavailableError extends HookbusError {
  override readonly code = "HOOKBUS_PROVIDER_UNAVAILABLE";
  /** Seconds after which another try makes sense; default 5. */
  readonly retryAfterSeconds: number;
  /** Whether the provider is up and limits us (429): that is no outage. */
  readonly rateLimited: boolean;

  constructor(message: string, options: ProviderUnavailableOptions = {}) {
    super(message, options);
    this.retryAfterSeconds = options.retryAfterSeconds ?? 5;
    this.rateLimited = options.rateLimited ?? false;
  }
}

/** The idempotency store did not answer, or answered with an error. */
export class StoreUnavailableError extends HookbusError {
  override readonly code = "HOOKBUS_STORE_UNAVAILABLE";
}

/** The function that finds signing secrets failed, or took too long: nothing can be verified for now. */
export class SecretsUnavailableError extends HookbusError {
  override readonly code = "HOOKBUS_SECRETS_UNAVAILABLE";
}

/** The claim was lost (its lease ran out and another run holds the key): the store refused the call. */
export class StaleTokenError extends HookbusError {
  override readonly code = "HOOKBUS_STALE_TOKEN";
}

/** A subscriber did not settle within its `timeoutMs`. */
export class SubscriberTimeoutError extends HookbusError {
  override readonly code = "HOOKBUS_SUBSCRIBER_TIMEOUT";
}

/** Thrown by a subscriber: try this delivery again later. The sender gets 503 with Retry-After. */
export class RetryLater extends HookbusError {
  override readonly code = "HOOKBUS_RETRY_LATER";
  /** Seconds the sender is asked to wait. */
  readonly afterSeconds: number;

  /** @param afterSeconds how long to wait; default 60. */
  constructor(afterSeconds = 60, message: string = "the subscriber asked for a later try", options?: ErrorOptions) {
    if (!Number.isFinite(afterSeconds) || afterSeconds < 0) {
      throw new TypeError("`afterSeconds` must be a number of seconds, zero or more");
    }
    super(message, options);
    this.afterSeconds = afterSeconds;
  }
}

/** Thrown by a subscriber: the event could not be processed. The sender gets 422, as from the StripeEvent gem. */
export class ProcessError extends HookbusError {
  override readonly code = "HOOKBUS_PROCESS";

  constructor(message: string = "the event could not be processed", options?: ErrorOptions) {
    super(message, options);
  }
}

/** Thrown by a subscriber: this event will never work here. It is acknowledged, logged and not tried again. */
export class Reject extends HookbusError {
  override readonly code = "HOOKBUS_REJECT";

  constructor(message: string = "the subscriber rejected the event for good", options?: ErrorOptions) {
    super(message, options);
  }
}

/** Thrown by a subscriber: nothing to do for this event. It is acknowledged. */
export class Ignore extends HookbusError {
  override readonly code = "HOOKBUS_IGNORE";

  constructor(message: string = "the subscriber ignored the event", options?: ErrorOptions) {
    super(message, options);
  }
}

/** What one subscriber failed with. `error` is whatever was thrown, which need not be an Error. */
export interface SubscriberFailure {
  readonly subscriber: string;
  readonly error: unknown;
}

/**
 * One or more subscribers failed; every matching subscriber ran all the same.
 *
 * `failures` names each of them; `errors` holds what they threw, in the same order.
 */
export class DispatchError extends AggregateError {
  readonly code = "HOOKBUS_DISPATCH";
  readonly failures: readonly SubscriberFailure[];

  constructor(type: string, failures: readonly SubscriberFailure[]) {
    super(
      failures.map((failure) => failure.error),
      `${failures.length} subscriber(s) of "${type}" failed: ${failures.map((failure) => failure.subscriber).join(", ")}`,
    );
    this.name = "DispatchError";
    this.failures = failures;
  }
}

/** Every error of hookbus, for a `switch` over `code`. */
export type AnyHookbusError =
  | ConfigurationError
  | MissingPeerError
  | PayloadError
  | BodyTooLargeError
  | BodyTimeoutError
  | RequestAbortedError
  | RawBodyUnavailableError
  | UnknownEventError
  | RetrievalRefusedError
  | ProviderUnavailableError
  | StoreUnavailableError
  | SecretsUnavailableError
  | StaleTokenError
  | SubscriberTimeoutError
  | RetryLater
  | ProcessError
  | Reject
  | Ignore
  | DispatchError;
