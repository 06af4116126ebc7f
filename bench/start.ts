import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Bench, Figure } from "./method/figure.ts";
import { AGAIN, inPairs, type Timed } from "./method/pairs.ts";

const run = promisify(execFile);
const IMPORTING = fileURLToPath(new URL("starting/importing.mjs", import.meta.url));
const RIVALS = ["eventemitter3", "stripe", "@octokit/webhooks", "svix"];
const FIRST = "first delivery";
const TOOK = "took";

/** What goals speak of gets pairs as an HTTP bench does; the other entries as many as a table needs. */
const PAIRS = 31;
const PAIRS_OF_OTHERS = 3;

/** How long does a fresh process take to be ready? */
export const bench: Bench = {
  seconds: 48,
  async measure({ until, seed, tell }) {
    const entries = await entryPoints();
    const floor = starting("bare node", new URL("starting/empty.mjs", import.meta.url).href);
    const first = starting(FIRST, new URL("starting/first-delivery.mjs", import.meta.url).href);
    const rivals = RIVALS.map((name) => starting(name, import.meta.resolve(name)));
    const watched = ["hookbus", "hookbus/stripe"].map((name) => starting(name, entries.get(name) as string));
    const pairs = await inPairs(floor, [first, ...watched, ...rivals], { count: PAIRS, until: until - 12_000, seed });
    const others = [...entries].filter(([name]) => !watched.some((each) => each.name === name));
    const table = await inPairs(
      floor,
      others.map(([name, href]) => starting(name, href)),
      { count: PAIRS_OF_OTHERS, until, seed },
    );
    tell(`an empty module takes ${pairs.floorCost("stripe", TOOK).toFixed(1)} ms`);

    const noise = pairs.noiseOfDifference(TOOK);
    const ms = (metric: string, value: number, count: number): Figure => ({
      bench: "start",
      metric,
      value,
      unit: "ms",
      noise,
      pairs: count,
    });
    const beyond = (from: typeof pairs, name: string): Figure =>
      ms(`${name} − bare node`, from.difference(name, TOOK), from.count(name));
    return [
      ...[AGAIN, FIRST, ...watched.map(({ name }) => name), ...RIVALS].map((name) => beyond(pairs, name)),
      ms(
        "hookbus/stripe − eventemitter3",
        pairs.difference("hookbus/stripe", TOOK) - pairs.difference("eventemitter3", TOOK),
        pairs.count("hookbus/stripe"),
      ),
      {
        bench: "start",
        metric: "first delivery / import of stripe",
        value: pairs.difference(FIRST, TOOK) / pairs.difference("stripe", TOOK),
        unit: "×",
        pairs: pairs.count(FIRST),
      },
      ...others.map(([name]) => beyond(table, name)),
    ];
  },
};

/** A fresh process that imports `href`, timed from within: the start of node itself is nobody's doing. */
function starting(name: string, href: string): Timed {
  return {
    name,
    async slice() {
      const { stdout } = await run(process.execPath, [IMPORTING, href]);
      return { [TOOK]: Number(stdout) };
    },
  };
}

/** The entry points that packages import, as the package itself lists them. */
async function entryPoints(): Promise<Map<string, string>> {
  const manifest = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8")) as {
    exports: Record<string, string | { default: string }>;
  };
  const entries = new Map<string, string>();
  for (const [path, target] of Object.entries(manifest.exports)) {
    if (typeof target === "string") continue;
    entries.set(`hookbus${path.slice(1)}`, new URL(`../${target.default}`, import.meta.url).href);
  }
  return entries;
}
