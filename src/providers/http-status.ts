/** Refusals that may turn into an answer: a time-out, a conflict, a rate limit (RFC 9110, section 15.5; RFC 6585). */
const PASSING = [408, 409, 429];

/** Whether a status says that the request will never succeed as we send it: our key, our account, our settings. */
export function isOurFault(status: number | undefined): boolean {
  return status !== undefined && status >= 400 && status < 500 && !PASSING.includes(status);
}
