/** Most providers part the segments of a type by a dot, Shopify by a slash, Coinbase Commerce by a colon. */
type Delimiter = "." | "/" | ":";

/** The types of `Events` that `Pattern` matches, by the rules of `patterns.ts`. */
export type MatchingTypes<Events, Pattern extends string> = Extract<
  keyof Events,
  Pattern extends `${string}${Delimiter}` ? `${Pattern}${string}` : Pattern | `${Pattern}${Delimiter}${string}`
>;

/** An event of whatever type: the union of the known ones, or the base event of a provider that names none. */
export type AnyEvent<Events, Base> = [keyof Events] extends [never] ? Base : Events[keyof Events];

/**
 * The event that a subscriber of `Pattern` gets: `"charge.refunded"` gives that one, `"charge."` the union of all below
 * it, and a type that is not known (yet) the base event.
 */
export type EventFor<Events, Base, Pattern extends string> = string extends Pattern
  ? Base
  : Pattern extends ""
    ? AnyEvent<Events, Base>
    : [MatchingTypes<Events, Pattern>] extends [never]
      ? Base
      : Events[MatchingTypes<Events, Pattern>];

/** Any string, while editors still offer the known types. */
export type PatternOf<Events> = (keyof Events & string) | (string & {});
