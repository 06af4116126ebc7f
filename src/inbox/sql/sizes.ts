import type { Dialect } from "../../databases/statement.ts";

/** How many rows a statement has at the most. */
const MOST = 64;

/**
 * Parts rows into statements of few sizes, so that the server keeps the plans of all of them: powers of two, of which the
 * last is filled up with rows of nulls. A further round trip would cost more than those.
 */
export function statementsOf<Row>(all: readonly Row[]): { readonly rows: readonly Row[]; readonly size: number }[] {
  const statements: { readonly rows: readonly Row[]; readonly size: number }[] = [];
  for (let from = 0; from < all.length; from += MOST) {
    const rows = all.slice(from, from + MOST);
    statements.push({ rows, size: 2 ** Math.ceil(Math.log2(rows.length)) });
  }
  return statements;
}

/** Remembers what `make` makes of a dialect and a number of rows: texts of many rows are long, and the numbers are few. */
export function bySize<Texts>(
  make: (dialect: Dialect, size: number) => Texts,
): (dialect: Dialect, size: number) => Texts {
  const made = new WeakMap<Dialect, Map<number, Texts>>();
  return (dialect, size) => {
    const sizes = made.get(dialect) ?? new Map<number, Texts>();
    const texts = sizes.get(size) ?? make(dialect, size);
    made.set(dialect, sizes.set(size, texts));
    return texts;
  };
}
