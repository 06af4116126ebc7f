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
