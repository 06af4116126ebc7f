/** The same order in every run with the same seed, so that a run can be repeated. */
export function shuffler(seed: number): <T>(items: readonly T[]) => T[] {
  const random = mulberry32(seed);
  return (items) => {
    const result = [...items];
    for (let last = result.length - 1; last > 0; last -= 1) {
      const other = Math.floor(random() * (last + 1));
      const moved = result[last] as (typeof result)[number];
      result[last] = result[other] as (typeof result)[number];
      result[other] = moved;
    }
    return result;
  };
}

function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
