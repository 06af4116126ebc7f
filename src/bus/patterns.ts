/*
 * Patterns are bounded by segments: `customer.card` and `customer.card.` both match `customer.card.created`, neither
 * matches `customer.cardigan`; the first also matches `customer.card` itself, and the empty pattern everything.
 */

/** Whether `pattern` matches `name`. */
export function matches(pattern: string, name: string, delimiter: string): boolean {
  if (pattern === "" || pattern === name) return true;
  return name.startsWith(pattern.endsWith(delimiter) ? pattern : pattern + delimiter);
}

/** What is wrong with a pattern that matches nothing, though it looks as if it did: no type of any provider is like it. */
export function objectionTo(pattern: string): string | undefined {
  if (!/[*\s]/.test(pattern)) return undefined;
  return "has wildcards or white space, which no event type has: `charge.` is all below `charge`, and `all` is everything";
}

/**
 * Every pattern that matches `name`, each once: its cost grows with the segments of the name, never with the number of
 * patterns in use, so a list of subscribers is found by looking these up.
 */
export function matchingPatterns(name: string, delimiter: string): string[] {
  // A set: empty segments give a pattern twice, as in "a..b", where "a." is both a prefix and what ends before a delimiter.
  const patterns = new Set([""]);
  for (let at = name.indexOf(delimiter); at !== -1; at = name.indexOf(delimiter, at + 1)) {
    patterns.add(name.slice(0, at));
    patterns.add(name.slice(0, at + delimiter.length));
  }
  patterns.add(name);
  return [...patterns];
}
