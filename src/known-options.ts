import { ConfigurationError } from "./errors.ts";

/** The names of a type's fields, all of them: the compiler sees to it. */
export type Names<T> = Readonly<Record<keyof T, true>>;

/**
 * Throws `ConfigurationError` for an option of another name: an option that was misspelt would be left out, and what it
 * asks for with it.
 *
 * @param place what stands before its name: `"timestamp."`.
 */
export function refuseUnknown(place: string, options: object, names: Readonly<Record<string, true>>): void {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(names, name));
  if (unknown === undefined) return;
  throw new ConfigurationError(`\`${place}${unknown}\` is no option: there are ${Object.keys(names).join(", ")}`);
}
