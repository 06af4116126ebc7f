import type { Bus } from "../bus/bus.ts";
import { headerValue } from "../providers/schemes/header.ts";
import { challengeOf, presents } from "./endpoint-auth.ts";
import { type Receipt, refused } from "./receipt.ts";
import type { RequestHead } from "./request.ts";

/** What can be refused before the body is read: the method, and the endpoint's own authentication. */
export function admit(bus: Bus, head: RequestHead): Refusal | undefined {
  const { methods } = bus.provider;
  if (!methods.includes(head.method)) {
    return { receipt: refused(405, "rejected", { allow: methods.join(", ") }), reason: "method" };
  }
  const auth = bus.endpointAuth;
  if (auth && !presents(auth, headerValue(head.headers, "authorization"))) {
    return {
      receipt: refused(401, "rejected", { "www-authenticate": challengeOf(auth) }),
      reason: "endpoint_auth",
      hint: "the sender's URL or headers must carry the credentials of `endpointAuth`",
    };
  }
  return undefined;
}

/** A refusal, and what the operator may know of it. */
export interface Refusal {
  readonly receipt: Receipt;
  readonly reason: string;
  readonly hint?: string;
}
