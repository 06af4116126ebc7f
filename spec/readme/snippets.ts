import { pages } from "../docs/pages.ts";

/** One `ts` block of the documentation, with what the reader does not see. */
export interface Snippet {
  /** `"README.md:42"` */
  readonly place: string;
  /** A file name made of it. */
  readonly file: string;
  readonly code: string;
}

/*
 * To add a snippet, write a ```ts block into README.md or docs/*.md. It is a program of its own: it is compiled under
 * `strict` against the built package and run in a process of its own, which has to end by itself with 0.
 *
 * What the reader need not see stands in HTML comments right before and right after the block:
 *
 *   <!-- before
 *   import express from "express";
 *   const app = express();
 *   -->
 *
 *   ```ts
 *   app.post("/webhooks/stripe", expressHandler(StripeEvent));
 *   ```
 *
 *   <!-- after
 *   assert.equal(await post(app, "/webhooks/stripe", stripeDelivery()), 200);
 *   -->
 *
 * `before` begins with imports and definitions; `after` checks that the snippet did what the text says. Both can import
 * from `./support.ts`, which is spec/readme/support.ts. The environment holds the variables listed in `snippets.spec.ts`.
 */
const BLOCK = /(?:^<!-- before\n([\s\S]*?)^-->\n\n)?^```ts\n([\s\S]*?)^```$(?:\n\n<!-- after\n([\s\S]*?)^-->$)?/gm;

export function snippets(): Snippet[] {
  return pages().flatMap(({ name, text }) =>
    [...text.matchAll(BLOCK)].map((match) => {
      const [whole, before = "", shown = "", after = ""] = match;
      const line = text.slice(0, match.index + whole.indexOf("```ts")).split("\n").length;
      const file = `${name.replace(/\W/g, "-").toLowerCase()}-line-${line}`;
      return { place: `${name}:${line}`, file, code: `${before}${shown}${after}` };
    }),
  );
}
