function sorted(values: readonly number[]): number[] {
  return values.toSorted((one, other) => one - other);
}

/** NaN of nothing: a figure that was not measured meets no goal. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function quantile(values: readonly number[], part: number): number {
  const all = sorted(values);
  if (all.length === 0) return Number.NaN;
  const place = (all.length - 1) * part;
  const below = all[Math.floor(place)] as number;
  const above = all[Math.ceil(place)] as number;
  return below + (above - below) * (place - Math.floor(place));
}

/** Where the true median lies with 95 % confidence, by the ranks of the values: no distribution is assumed. */
export function medianRange(values: readonly number[]): readonly [number, number] {
  const all = sorted(values);
  if (all.length === 0) return [Number.NaN, Number.NaN];
  const reach = 0.98 * Math.sqrt(all.length);
  const low = Math.max(0, Math.floor(all.length / 2 - reach));
  const high = Math.min(all.length - 1, Math.ceil(all.length / 2 + reach));
  return [all[low] as number, all[high] as number];
}
