import { type Delivery, type Flaw, SECRET, signed } from "./deliveries/delivery.ts";
import { TEMPLATES } from "./deliveries/events.ts";
import { verified } from "./deliveries/floor.ts";
import { Pool } from "./deliveries/pool.ts";
import { CountingBus, rejecting } from "./deliveries/receiving.ts";
import { type Bench, type Figure, type Run, share } from "./method/figure.ts";
import { AGAIN, inPairs } from "./method/pairs.ts";
import { TIME, timed } from "./method/slice.ts";
import { rivals } from "./rivals/all.ts";
import { refusing, sink } from "./rivals/rival.ts";

interface Kind {
  readonly name: string;
  readonly make: () => Delivery;
  /** What the endpoint has; the floor tries them all. */
  readonly secrets: readonly string[];
  /** What the floor is called: for headers that are no signature, it is what one would have cost. */
  readonly floor: "floor" | "one HMAC";
}

const FIVE = ["first", "second", "third", "fourth", "fifth"].map(
  (name) => `whsec_${Buffer.from(`the ${name} secret of the endpoint`).toString("base64")}`,
);

const KINDS: readonly Kind[] = [
  { name: "forged", make: () => flawed({ secret: "whsec_of_somebody_else" }), secrets: [SECRET], floor: "floor" },
  { name: "stale", make: () => flawed({ ageSeconds: 3_600 }), secrets: [SECRET], floor: "floor" },
  {
    name: "wrong secret × 5",
    make: () => flawed({ secret: "whsec_of_before" }),
    secrets: FIVE,
    floor: "floor",
  },
  { name: "garbled", make: () => garbled(signed(TEMPLATES["3 KB"])), secrets: [SECRET], floor: "one HMAC" },
];

/** What does a delivery cost that is refused? Attackers choose how many of them there are. */
export const bench: Bench = {
  seconds: 44,
  async measure(run) {
    const figures: Figure[] = [];
    for (const [place, kind] of KINDS.entries()) {
      figures.push(...(await ofKind(kind, { ...run, until: share(run, 1 / (KINDS.length - place)) })));
    }
    return figures;
  },
};

async function ofKind({ name, make, secrets, floor: floorName }: Kind, run: Run): Promise<Figure[]> {
  const pool = new Pool(make);
  // The floor needs a header that it can read, whatever the contenders get.
  const readable = new Pool(() => flawed({ secret: "whsec_of_somebody_else" }));
  const floor = await timed({
    name: floorName,
    async: false,
    one() {
      const { body, stripe } = readable.next();
      for (const secret of secrets) sink.last = verified(body, stripe, secret);
    },
  });
  const hookbus = new CountingBus(`reject-${KINDS.findIndex((kind) => kind.name === name)}`, secrets);
  const contenders = [await timed(rejecting(hookbus, pool))];
  for (const rival of rivals(secrets)) {
    // Those without a clock cannot be asked about age.
    if (name === "stale" && !rival.refusesStale) continue;
    contenders.push(await timed(refusing(rival, pool)));
  }
  const pairs = await inPairs(floor, contenders, { count: 101, until: run.until, seed: run.seed });
  const noise = pairs.noise(TIME);
  run.tell(`${name}: ${floorName} takes ${(pairs.floorCost("hookbus", TIME) / 1000).toFixed(1)} µs`);
  return [AGAIN, ...contenders.map((each) => each.name)].map((contender) => ({
    bench: "reject",
    metric: `${contender} / ${floorName}, ${name}`,
    value: pairs.ratio(contender, TIME),
    unit: "×",
    noise,
    pairs: pairs.count(contender),
  }));
}

function flawed(flaw: Flaw): Delivery {
  return signed(TEMPLATES["3 KB"], flaw);
}

/** Signatures that are none: what a scanner sends that knows the name of the header and no more. */
function garbled(delivery: Delivery): Delivery {
  const header = "t=yesterday;v1=not-hexadecimal,,=";
  const headers = { ...delivery.request.headers, "stripe-signature": header };
  return {
    ...delivery,
    request: { ...delivery.request, headers },
    stripe: header,
    github: "sha256=not-hexadecimal",
    standard: { ...delivery.standard, "webhook-signature": "not-a-signature" },
    shopify: { ...delivery.shopify, "x-shopify-hmac-sha256": "not base64" },
  };
}
