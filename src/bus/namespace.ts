/**
 * The prefix under which a bus publishes: `charge.paid` of ConektaEvent is `conekta_event.charge.paid` to whoever
 * listens across buses.
 */
export class Namespace {
  readonly value: string;
  readonly delimiter: string;

  constructor(value: string, delimiter = ".") {
    if (value === "" || delimiter === "")
      throw new TypeError("`value` and `delimiter` of a Namespace must not be empty");
    this.value = value;
    this.delimiter = delimiter;
  }

  /** The full name: `stripe_event.foo.bar` of `foo.bar`; the bare prefix `stripe_event.` of nothing. */
  call(name = ""): string {
    return this.value + this.delimiter + name;
  }

  /** An expression for all full names that `pattern` matches; without a pattern, for all names of the namespace. */
  toRegExp(pattern = ""): RegExp {
    const delimiter = escaped(this.delimiter);
    if (pattern === "" || pattern.endsWith(this.delimiter)) return new RegExp(`^${escaped(this.call(pattern))}`);
    return new RegExp(`^${escaped(this.call(pattern))}(?:${delimiter}|$)`);
  }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
}
