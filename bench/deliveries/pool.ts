import type { Delivery } from "./delivery.ts";

/** Deliveries signed off the clock, taken one after the other. */
export class Pool {
  readonly #make: () => Delivery;
  #deliveries: Delivery[] = [];
  #next = 0;

  constructor(make: () => Delivery) {
    this.#make = make;
    this.renew(16);
  }

  /** New deliveries, none of which was seen before. */
  renew(count: number): void {
    this.#deliveries = Array.from({ length: count }, () => this.#make());
    this.#next = 0;
  }

  /** The next one, or the first again after the last. */
  next(): Delivery {
    if (this.#next === this.#deliveries.length) this.#next = 0;
    return this.#deliveries[this.#next++] as Delivery;
  }
}
