/** What a worker tells its parent. */
export type News =
  | { readonly kind: "saw"; readonly subscriber: string; readonly type: string }
  | { readonly kind: "failed"; readonly subscriber: string }
  | { readonly kind: "attempt"; readonly outcome: string; readonly id: string };
