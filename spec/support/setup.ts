import dns from "node:dns";

/**
 * No spec may leave this machine: every host but the loopback interface fails to resolve.
 *
 * Guarding the resolver, and not the HTTP client, keeps real sockets on the loopback interface untouched, so that
 * specs of time-outs and aborts meet Node's own behaviour. Requests that nock answers never get this far.
 */
const lookup = dns.lookup;

const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|::1)$/;

const lookupLocalOnly = (hostname: string, ...rest: unknown[]): unknown => {
  if (LOOPBACK.test(hostname)) return Reflect.apply(lookup, dns, [hostname, ...rest]);
  const callback = rest.at(-1);
  if (typeof callback !== "function") throw new TypeError("dns.lookup needs a callback");
  const error = Object.assign(new Error(`a spec tried to reach ${hostname}`), { code: "ENOTFOUND", hostname });
  return process.nextTick(callback, error);
};

Object.assign(dns, { lookup: lookupLocalOnly });
