export type { Listener, NotificationAdapter } from "./bus/adapter.ts";
export { notificationAdapter } from "./bus/adapter.ts";
export type { BusOptions } from "./bus/bus.ts";
export type { DeliveryContext, DeliveryFacts, VerifiedBy } from "./bus/context.ts";
export type { EndpointAuth } from "./bus/endpoint-auth.ts";
export type {
  ErrorListener,
  EventFilter,
  EventParams,
  EventRetriever,
  FailedDelivery,
  RetrieveOptions,
  RetrieverContext,
} from "./bus/extension-points.ts";
export type { Logger } from "./bus/logger.ts";
export { Namespace } from "./bus/namespace.ts";
export { Notifications, type PublishedEvent } from "./bus/notifications.ts";
export type { AnyEvent, EventFor, MatchingTypes, PatternOf } from "./bus/pattern-types.ts";
export type {
  ResolvedSecrets,
  SecretResolver,
  SecretResolverOptions,
  UnverifiedRequest,
} from "./bus/secret-resolver.ts";
export type { LabelledSecret, SecretInput, SecretLabel } from "./bus/secrets.ts";
export type { Step, StepListener } from "./bus/steps.ts";
export type {
  Disposer,
  SubscribeOptions,
  Subscriber,
  SubscriberFunction,
  SubscriberObject,
} from "./bus/subscriber.ts";
export type { Clock } from "./clock.ts";
export type { AnyHookbusError, ProviderUnavailableOptions, SubscriberFailure } from "./errors.ts";
export {
  BodyTimeoutError,
  BodyTooLargeError,
  ConfigurationError,
  DispatchError,
  HookbusError,
  Ignore,
  MissingPeerError,
  PayloadError,
  ProcessError,
  ProviderUnavailableError,
  RawBodyUnavailableError,
  Reject,
  RequestAbortedError,
  RetrievalRefusedError,
  RetryLater,
  SecretsUnavailableError,
  StaleTokenError,
  StoreUnavailableError,
  SubscriberTimeoutError,
  UnknownEventError,
} from "./errors.ts";
export { EventBus, type EventBusOptions } from "./event-bus.ts";
export type { Awaitable, Claim, ClaimOptions, ClaimToken, IdempotencyStore } from "./idempotency/store.ts";
export type {
  CloseOptions,
  Delivered,
  Inbox,
  InboxBus,
  InboxOptions,
  OrderOptions,
  RecordCounts,
  RecordQuery,
  Replayed,
  ReplayOptions,
  Run,
  Worker,
  WorkOptions,
} from "./inbox/inbox.ts";
export type {
  Attempt,
  AuditEntry,
  Failure,
  Lease,
  LeasedRecord,
  NewRecord,
  Outcome as AttemptOutcome,
  RecordDetails,
  Recorded,
  RecordedRequest,
  RecordState,
  RecordSummary,
  SubscriberState,
} from "./inbox/record.ts";
export { notifications } from "./notifications.ts";
export type {
  Envelope,
  EventClient,
  EventMap,
  FetchOptions,
  Handshakes,
  Provider,
  ProviderResponse,
  ReadContext,
  RejectionReason,
  RequestHeaders,
  Retrieval,
  SchemeSummary,
  SecretForm,
  SecretSetting,
  SignedDelivery,
  SigningKey,
  SignOptions,
  Unsigned,
  Verification,
  VerifyOptions,
  WebhookRequest,
} from "./providers/provider.ts";
export type { Endpoint } from "./receiver/endpoint.ts";
export type { RetrievalLimits } from "./receiver/fetch-guard.ts";
export { createHub, type Hub, type HubBus, type HubOptions } from "./receiver/hub.ts";
export type { Outcome, Receipt } from "./receiver/receipt.ts";
export type { ReceiverOptions } from "./receiver/receiver.ts";
export type { BodyReader, RequestHead } from "./receiver/request.ts";
