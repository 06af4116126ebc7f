import { ConfigurationError } from "../../errors.ts";
import { type Names, refuseUnknown } from "../../known-options.ts";
import type { SignatureDescription } from "./description.ts";
import type { HeaderName } from "./header-list.ts";

const NAMES: Names<SignatureDescription> = {
  header: true,
  prefix: true,
  list: true,
  content: true,
  timestamp: true,
  id: true,
  publicUrl: true,
  secrets: true,
};

const TIMESTAMP: Names<NonNullable<SignatureDescription["timestamp"]>> = {
  header: true,
  item: true,
  unit: true,
  toleranceSeconds: true,
  first: true,
};

const LIST: Names<NonNullable<SignatureDescription["list"]>> = { separator: true, assign: true };

/**
 * Throws `ConfigurationError` for a description that makes no scheme, or an unsafe one: the body, and a timestamp or an
 * id that counts, must be part of what is signed. What a function puts together is its author's to answer for.
 */
export function checkDescription(description: SignatureDescription): void {
  const { header, timestamp, list, prefix } = description;
  refuseUnknown("signature.", description, NAMES);
  refuseUnknown("timestamp.", timestamp ?? {}, TIMESTAMP);
  refuseUnknown("list.", list ?? {}, LIST);
  const headers = [header].flat();
  if (headers.length === 0 || !headers.every((each) => typeof each === "string" && /^[\w-]+$/.test(each))) {
    throw new ConfigurationError('`header` must be the name of a header: "x-acme-signature"');
  }
  if (list && prefix !== undefined) {
    throw new ConfigurationError("`prefix` and `list` exclude each other: the `tag` names a signature in a list");
  }
  const kinds = Object.values(description.secrets).flatMap((setting) => setting.kinds);
  if (list && kinds.some(({ tag }) => typeof tag !== "string" || tag === "")) {
    throw new ConfigurationError("`tag` is missing: it names a signature in the `list`");
  }
  if (timestamp && (timestamp.header === undefined) === (timestamp.item === undefined)) {
    throw new ConfigurationError("`timestamp` must name a `header` or an `item` of the list, and not both");
  }
  if (timestamp?.item !== undefined && !list) {
    throw new ConfigurationError("`timestamp.item` is an item of a `list`, and there is none");
  }
  const { content = "{body}" } = description;
  if (typeof content === "string") checkContent(content, description);
}

/** What is not signed can be changed by whoever captured a delivery: it must not look as if it were safe. */
function checkContent(content: string, { timestamp, id }: SignatureDescription): void {
  const signs = (field: string): boolean => content.includes(`{${field}}`);
  if (!signs("body")) throw new ConfigurationError("`content` must hold {body}: nobody vouches for a body unsigned");
  for (const [field, given] of [
    ["timestamp", timestamp],
    ["id", id],
  ] as const) {
    if (signs(field) === (given !== undefined)) continue;
    const why = signs(field)
      ? `is missing: \`content\` holds {${field}}`
      : `means nothing: \`content\` lacks {${field}}`;
    throw new ConfigurationError(`\`${field}\` ${why}`);
  }
}

/**
 * Whether the scheme of a description signs the header field `name`; of one whose content a function puts together,
 * nobody can tell, and it is taken to.
 *
 * Of a field with several names, only all of them together are signed: where two came, the first is what counts.
 */
export function signsHeader({ content, id, timestamp }: SignatureDescription, name: HeaderName): boolean {
  return typeof content === "function" || [id, timestamp?.header].some((own) => own !== undefined && same(own, name));
}

function same(one: HeaderName, other: HeaderName): boolean {
  const [names, others] = [one, other].map((each) => [each].flat().map((name) => name.toLowerCase()));
  return JSON.stringify(names) === JSON.stringify(others);
}
