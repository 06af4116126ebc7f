import { ConfigurationError } from "../../errors.ts";
import type {
  RejectionReason,
  SecretForm,
  SecretSetting,
  SigningKey,
  SignOptions,
  Verification,
  VerifyOptions,
  WebhookRequest,
} from "../provider.ts";
import { ALGORITHMS, type Pieces } from "./algorithms.ts";
import { checkDescription } from "./check-description.ts";
import { content, type SignedValues } from "./content.ts";
import type { Scheme, SecretKinds, SignatureDescription, SignatureKind } from "./description.ts";
import { encode } from "./encoding.ts";
import { firstHeader, type HeaderSignatures, lowered, nameOf, readList, readOne, trimmed } from "./header-list.ts";
import { signedUrl } from "./public-url.ts";
import { objectionToNothing, readSecret } from "./secret.ts";
import { parseTimestamp, staleness, timestampText } from "./timestamp.ts";

export type { Scheme, SecretKinds, SignatureDescription, SignatureKind };

/** Room for dozens of signatures in a header that lists them. */
const MAX_LIST_LENGTH = 4096;

/**
 * Makes a scheme of its description.
 *
 * Whatever the bytes: a header that is missing, then one that cannot be read, then a signature that does not match, then
 * a timestamp out of bounds, in this order, so that whoever cannot sign learns nothing of our clock. Every key is tried,
 * in the order of the setting, whichever matches.
 *
 * Throws `ConfigurationError` for a description that makes no scheme, or one that leaves the body, a timestamp or an id
 * unsigned.
 */
export function signed(description: SignatureDescription): Scheme {
  checkDescription(description);
  const { timestamp, list, prefix = "", publicUrl } = description;
  const headerName = lowered(description.header);
  const idName = description.id === undefined ? undefined : lowered(description.id);
  const timestampName = timestamp?.header === undefined ? undefined : lowered(timestamp.header);
  const tolerance = timestamp ? (timestamp.toleranceSeconds ?? 300) : 0;
  const contentOf =
    typeof description.content === "function" ? description.content : content(description.content ?? "{body}");
  const kinds = new Map<string, SignatureKind>();
  for (const setting of Object.values(description.secrets)) {
    for (const kind of setting.kinds) kinds.set(schemeOf(kind), kind);
  }

  function verify(request: WebhookRequest, { keys, now, toleranceSeconds }: VerifyOptions): Verification {
    const sentHeader = firstHeader(request.headers, headerName);
    const header = sentHeader && trimmed(sentHeader);
    if (!header) return rejected("missing_header");
    if (list && header.length > MAX_LIST_LENGTH) return rejected("malformed_header");
    const id = idName === undefined ? "" : firstHeader(request.headers, idName);
    if (idName !== undefined && !id) return rejected("missing_header");
    let stamp = "";
    if (timestampName !== undefined) {
      const sent = firstHeader(request.headers, timestampName);
      if (!sent) return rejected("missing_header");
      stamp = sent;
    }
    const read = list ? readList(header, list, timestamp?.item) : readOne(header, prefix);
    if (typeof read === "string") return rejected(read);
    if (read.timestamp !== undefined) stamp = read.timestamp;
    const seconds = timestamp ? parseTimestamp(stamp, timestamp.unit) : 0;
    // Even where nobody asks its age, it must be digits: any text could be the signed body's beginning, cut off.
    if (seconds === undefined) {
      const unasked = toleranceSeconds === Number.POSITIVE_INFINITY && timestamp?.item === undefined;
      return rejected(unasked ? "bad_signature" : "malformed_header");
    }
    const stale = timestamp ? staleness(seconds, now, toleranceSeconds) : undefined;
    if (stale && timestamp?.first) return rejected(stale);

    let tried = false;
    let pieces: Pieces | undefined;
    let matched: SigningKey | undefined;
    for (const key of keys) {
      const kind = kinds.get(key.scheme);
      const candidates = kind ? candidatesOf(kind, read) : NONE;
      // What is too long or too short for a signature costs no work on the body, which may be a megabyte of a stranger's.
      if (!kind || candidates.length === 0) continue;
      tried = true;
      pieces ??= contentOf(new Values(request, stamp, id ?? "", publicUrl));
      if (!pieces) return rejected("malformed_header");
      if (ALGORITHMS[kind.algorithm].matches(key.key, pieces, candidates, kind.encoding)) matched ??= key;
    }
    if (!matched) return rejected(!list || tried || isExpected(keys, read) ? "bad_signature" : "no_expected_scheme");
    return stale ? rejected(stale) : { verified: true, matchedSecret: matched.label };
  }

  /** Whether a list holds a signature of a scheme that a key has; or, where no key has one, of any that is known. */
  function isExpected(keys: readonly SigningKey[], { signatures }: HeaderSignatures): boolean {
    const held = keys.flatMap((key) => kinds.get(key.scheme) ?? []);
    const tags = (held.length > 0 ? held : [...kinds.values()]).map(({ tag }) => tag);
    return signatures.some(({ tag }) => tags.includes(tag));
  }

  function sign(body: Uint8Array | string, options: SignOptions): Record<string, string> {
    const { secret, now = Date.now(), id = "msg_1", method = "POST", url = publicUrl ?? "/" } = options;
    const setting = options.setting ?? (Object.keys(description.secrets)[0] as SecretSetting);
    const found = description.secrets[setting];
    if (!found) throw new ConfigurationError(`nothing is signed with \`${setting}\``);
    const kind = kindOf(found, secret);
    const key = readSecret(kind.key.signing ?? kind.key.verifying, secret);
    const stamp = timestampText(now, timestamp?.unit);
    const request = { method, url, headers: options.headers ?? {}, body: Buffer.from(body) };
    const pieces = contentOf(new Values(request, stamp, id, publicUrl));
    if (!pieces) throw new ConfigurationError("the request holds nothing to sign: see the scheme's `content`");
    const signature = encode(ALGORITHMS[kind.algorithm].make(key, pieces), kind.encoding);
    const headers: Record<string, string> = {};
    if (timestamp?.header !== undefined) headers[nameOf(timestamp.header)] = stamp;
    if (description.id !== undefined) headers[nameOf(description.id)] = id;
    const listed = list ? `${kind.tag}${list.assign}${signature}` : prefix + signature;
    const item = list && timestamp?.item ? `${timestamp.item}${list.assign}${stamp}${list.separator}` : "";
    headers[nameOf(description.header)] = item + listed;
    return headers;
  }

  const secrets = Object.entries(description.secrets).map(([setting, entry]) => [setting, formOf(entry)]);
  return {
    secrets: Object.fromEntries(secrets),
    toleranceSeconds: tolerance,
    verify,
    sign,
    summary: {
      headers: [description.header].flat(),
      algorithms: [...kinds.values()].map((kind) => `${ALGORITHMS[kind.algorithm].title}, ${kind.encoding}`),
      content: typeof description.content === "function" ? "see the source" : (description.content ?? "{body}"),
      secrets: [...kinds.values()].map((kind) => kind.key.shape),
    },
  };
}

const NONE: readonly string[] = [];

/** The signatures that a key of this kind may have made. */
function candidatesOf(
  { tag, encoding, algorithm }: SignatureKind,
  { signatures }: HeaderSignatures,
): readonly string[] {
  // Nearly always there is one: an array that is ready to grow would be larger than all that it is to hold.
  let candidates: string[] | undefined;
  for (const { tag: name, text } of signatures) {
    if (name !== tag || !ALGORITHMS[algorithm].mayBe(text, encoding)) continue;
    if (candidates) candidates.push(text);
    else candidates = [text];
  }
  return candidates ?? NONE;
}

class Values implements SignedValues {
  readonly request: SignedValues["request"];
  readonly timestamp: string;
  readonly id: string;
  readonly #publicUrl: string | undefined;

  constructor(request: SignedValues["request"], timestamp: string, id: string, publicUrl: string | undefined) {
    this.request = request;
    this.timestamp = timestamp;
    this.id = id;
    this.#publicUrl = publicUrl;
  }

  /** Few schemes sign it, and only they look at the headers that tell of it. */
  get url(): string {
    return signedUrl(this.request, this.#publicUrl);
  }
}

function rejected(reason: RejectionReason): Verification {
  return { verified: false, reason };
}

/** What ties a key to the signatures that it can check. */
function schemeOf(kind: SignatureKind): string {
  return kind.scheme ?? kind.tag ?? kind.algorithm;
}

/** The kind that a secret is for: told by how it begins, where a setting takes several. */
function kindOf({ kinds }: SecretKinds, secret: string): SignatureKind {
  return (
    kinds.find(({ secretPrefix = [] }) => [secretPrefix].flat().some((prefix) => secret.startsWith(prefix))) ?? kinds[0]
  );
}

function formOf(entry: SecretKinds): SecretForm {
  return {
    scheme: schemeOf(entry.kinds[0]),
    schemeOf: (secret) => schemeOf(kindOf(entry, secret)),
    several: entry.several ?? true,
    parse: (secret) => kindOf(entry, secret).key.verifying(secret),
    objection(secret) {
      const { key } = kindOf(entry, secret);
      return objectionToNothing(secret, key.shape) ?? entry.objection?.(secret) ?? key.objection?.(secret);
    },
  };
}
