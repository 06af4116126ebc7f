/** Freezes an event and all that hangs on it. Iterative, since events may be nested deeper than the stack. */
export function freezeDeeply<T>(root: T): T {
  const waiting: unknown[] = [root];
  const seen = new Set<unknown>();
  while (waiting.length > 0) {
    const value = waiting.pop();
    // The elements of a typed array cannot be frozen.
    if (typeof value !== "object" || value === null || seen.has(value) || ArrayBuffer.isView(value)) continue;
    seen.add(value);
    Object.freeze(value);
    for (const child of Object.values(value)) waiting.push(child);
  }
  return root;
}
