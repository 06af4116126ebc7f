/** A body as it may have been before something on the way changed it. */
export interface OtherBody {
  readonly finding: "body_reserialised" | "body_newline" | "body_line_ends" | "body_base64";
  readonly body: Uint8Array;
}

/** The bodies that `body` may have been made of by a change that is often made by mistake. */
export function* otherBodies(body: Uint8Array): Generator<OtherBody> {
  // One character a byte: what is no UTF-8 stays as it is.
  const text = Buffer.from(body).toString("latin1");
  const other = (finding: OtherBody["finding"], changed: string): OtherBody[] =>
    changed === text ? [] : [{ finding, body: Buffer.from(changed, "latin1") }];

  yield* other("body_newline", text.replace(/\r?\n$/, ""));
  yield* other("body_newline", `${text}\n`);
  yield* other("body_newline", `${text}\r\n`);
  yield* other("body_line_ends", text.replaceAll("\r\n", "\n"));
  yield* other("body_line_ends", text.replaceAll(/\r?\n/g, "\r\n"));
  for (const indent of [0, 2]) {
    const written = rewritten(body, indent);
    if (written !== undefined) yield* other("body_reserialised", Buffer.from(written).toString("latin1"));
  }
  const packed = text.replaceAll(/[\r\n]/g, "");
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(packed)) yield { finding: "body_base64", body: Buffer.from(packed, "base64") };
}

/** Deeper than any event. Indented, what is nested without end grows with the square of its length. */
const MAX_DEPTH = 32;

function rewritten(body: Uint8Array, indent: number): string | undefined {
  if (depthOf(body) > MAX_DEPTH) return undefined;
  try {
    return JSON.stringify(JSON.parse(new TextDecoder().decode(body)), null, indent);
  } catch {
    return undefined; // no JSON
  }
}

/** How deeply JSON is nested, at most: brackets within strings count as well. */
function depthOf(body: Uint8Array): number {
  let [depth, deepest] = [0, 0];
  for (const byte of body) {
    if (byte === 0x5b || byte === 0x7b) deepest = Math.max(deepest, ++depth);
    else if (byte === 0x5d || byte === 0x7d) depth--;
  }
  return deepest;
}
