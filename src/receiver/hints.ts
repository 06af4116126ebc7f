import type { RejectionReason } from "../providers/provider.ts";

const HINTS: Readonly<Record<RejectionReason, string>> = {
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
};

/** What the operator may look at first. */
export function hintOf(reason: RejectionReason): string {
  return HINTS[reason];
}
