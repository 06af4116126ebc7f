import type { SecretSlip } from "../bus/secrets.ts";
import type { RejectionReason } from "../providers/provider.ts";

/** Why a delivery was not verified: by its signature, or for want of a secret to check it with. */
export type Refusal = RejectionReason | "no_secret";

const HINTS: Readonly<Record<Refusal, string>> = {
  missing_header:
    "the signature header is missing: is the sender the provider, and does every proxy pass the header on?",
  malformed_header: "the signature header cannot be read: does a proxy rewrite or repeat it?",
  no_expected_scheme: "the signature header holds no scheme in use: does a proxy rewrite it?",
  bad_signature:
    "no secret matches: is it the one of this endpoint and this environment, copied whole? Does something parse, " +
    "decompress or rewrite the body before hookbus reads it?",
  bad_body_hash: "the body is not the one that was signed: does something rewrite it before hookbus reads it?",
  timestamp_too_old: "signed too long ago: is this machine's clock right, or is it a replay?",
  timestamp_in_future: "signed in the future: is this machine's clock right?",
  no_secret: "there is no secret for this request: is it one of your tenants' URLs, and is the tenant set up?",
};

/** What the operator may look at first. */
export function hintOf(reason: Refusal): string {
  return HINTS[reason];
}

/** What would have made a signature good that was refused, in a word. */
export type Finding =
  | "clock_skew"
  | "secret_expired"
  | SecretSlip
  | "other_bus"
  | "body_reserialised"
  | "body_newline"
  | "body_line_ends"
  | "body_base64"
  | "url";

/** What a finding's sentence names: labels and names, never a secret. */
export interface FindingDetails {
  /** The label of the secret that matches. */
  readonly label: string;
  /** The bus that the secret belongs to. */
  readonly bus: string;
  /** How far off the timestamp is: `"7200 s ago"`, `"7200 s ahead"`. */
  readonly off: string;
}

const ADVICE: Readonly<Record<Finding, (details: FindingDetails) => string>> = {
  clock_skew: ({ off }) =>
    `the signature is good and was made ${off}, by this machine's clock: set the clock, or take it for a replay`,
  secret_expired: ({ label }) =>
    `it was signed with \`${label}\`, whose \`notAfter\` has passed: finish the rotation at the provider, or extend it`,
  secret_quotes: ({ label }) => `\`${label}\` matches without the quotes around it: remove them where it is stored`,
  secret_line_end: ({ label }) =>
    `\`${label}\` matches without the \\n written at its end: remove it where the secret is stored`,
  secret_prefix: ({ label }) =>
    `\`${label}\` matches with another prefix: copy it whole from the provider, with \`whsec_\` as it stands there, once`,
  secret_decoding: ({ label }) =>
    `\`${label}\` matches when its text is decoded in another way: see that the bus is of the provider that signs`,
  other_bus: ({ bus }) => `the secret of the bus "${bus}" matches: swap the secrets, or the URLs set at the provider`,
  body_reserialised: () =>
    "the signature is good for the same JSON, written in another way: have nothing parse the body before hookbus",
  body_newline: () =>
    "the signature is good but for a line end at the end of the body: have nothing trim or add to the body",
  body_line_ends: () =>
    "the signature is good for other line ends (CRLF and LF): have nothing convert the body's line ends",
  body_base64: () =>
    "the signature is good for the body decoded from base64: decode it before hookbus (`isBase64Encoded` on AWS Lambda)",
  url: () =>
    "the signature is good for another URL of this endpoint: say how the sender sees it, where the provider has an " +
    "option for that, or have the proxy keep scheme, host and path",
};

/** What the operator should do about a finding. */
export function adviceOn(finding: Finding, details: FindingDetails): string {
  return ADVICE[finding](details);
}
