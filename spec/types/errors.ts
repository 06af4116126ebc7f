// Compiled, never run: errors narrow by class and by code.
import {
  type AnyHookbusError,
  DispatchError,
  HookbusError,
  type ProviderUnavailableError,
  RetryLater,
  type SubscriberFailure,
} from "../../src/index.ts";
import { assert, type Equals } from "./equals.ts";

export function narrow(error: AnyHookbusError): void {
  switch (error.code) {
    case "HOOKBUS_DISPATCH":
      assert<Equals<typeof error, DispatchError>>();
      assert<Equals<typeof error.failures, readonly SubscriberFailure[]>>();
      break;
    case "HOOKBUS_PROVIDER_UNAVAILABLE":
      assert<Equals<typeof error, ProviderUnavailableError>>();
      break;
    case "HOOKBUS_RETRY_LATER":
      assert<Equals<typeof error.afterSeconds, number>>();
      break;
    // @ts-expect-error no such code
    case "HOOKBUS_ELSEWHERE":
      break;
  }
}

export function caught(error: unknown): void {
  if (error instanceof RetryLater) error.afterSeconds satisfies number;
  else if (error instanceof DispatchError) error.errors satisfies unknown[];
  else if (error instanceof HookbusError) error.code satisfies string;
}

// @ts-expect-error seconds are a number
new RetryLater("60");
new RetryLater(60, "the bank is closed", { cause: new Error("503") });
