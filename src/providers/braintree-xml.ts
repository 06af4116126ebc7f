import { PayloadError } from "../errors.ts";

const NAME = /^[A-Za-z_][\w.-]*/;

const ENTITIES: Readonly<Record<string, string>> = {
  "&lt;": "<",
  "&gt;": ">",
  "&amp;": "&",
  "&quot;": '"',
  "&apos;": "'",
};

/**
 * The texts directly below the root of a small XML document: of `<notification><kind>check</kind></notification>`, the
 * kind. Elements with elements in them are skipped, whatever they hold.
 *
 * This is no XML parser. It reads every byte once, knows the five entities and no others, and refuses a document with a
 * DTD, so that nothing can be expanded or fetched.
 *
 * Throws `PayloadError` for anything but one well-nested `root`, and for a text that is there twice.
 */
export function topLevelTexts(xml: string, root: string): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  const open: string[] = [];
  let done = false;
  /** Where the text of the element that was opened last begins; -1 once something was in it. */
  let textFrom = -1;
  for (let at = xml.indexOf("<"); at >= 0; at = xml.indexOf("<", at)) {
    const start = at;
    if (xml.startsWith("<!--", at)) at = after(xml, "-->", at);
    else if (xml.startsWith("<?", at)) at = after(xml, "?>", at);
    else if (xml.startsWith("<![CDATA[", at)) at = after(xml, "]]>", at);
    else if (xml.startsWith("<!", at)) throw new PayloadError("the XML has a DTD");
    else {
      at = after(xml, ">", at);
      const tag = xml.slice(start + 1, at - 1);
      const closing = tag.startsWith("/");
      const name = NAME.exec(closing ? tag.slice(1) : tag)?.[0];
      if (name === undefined || tag.includes("<") || done) throw broken();
      if (closing) {
        if (open.pop() !== name || tag.slice(1).trimEnd() !== name) throw broken();
        if (open.length === 1 && textFrom >= 0) {
          if (texts.has(name)) throw new PayloadError(`the XML has two \`${name}\``);
          texts.set(name, decoded(xml.slice(textFrom, start)));
        }
        if (open.length === 0) done = true;
        textFrom = -1;
        continue;
      }
      if (open.length === 0 && name !== root) throw new PayloadError(`the XML is no \`${root}\``);
      if (!tag.endsWith("/")) {
        open.push(name);
        textFrom = at;
        continue;
      }
    }
    textFrom = -1;
  }
  if (!done) throw broken();
  return texts;
}

function after(xml: string, end: string, from: number): number {
  const found = xml.indexOf(end, from);
  if (found < 0) throw broken();
  return found + end.length;
}

function decoded(text: string): string {
  return text.replace(/&(?:lt|gt|amp|quot|apos);/g, (entity) => ENTITIES[entity] as string);
}

function broken(): PayloadError {
  return new PayloadError("the XML is not well-formed");
}
