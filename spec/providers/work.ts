import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";

/** What a check of a signature costs, in what it does and not in time. */
export interface Work {
  /** Bodies and queries that were parsed as forms. */
  readonly forms: number;
  /** Fields that came out of them. */
  readonly fields: number;
  readonly hmacs: number;
}

/** What `run` does, told by standing between it and what it calls. */
export function workOf(run: () => unknown): Work {
  const work = { forms: 0, fields: 0, hmacs: 0 };
  const { URLSearchParams: Form } = globalThis;
  const { createHmac } = crypto;
  globalThis.URLSearchParams = class extends Form {
    constructor(...given: ConstructorParameters<typeof Form>) {
      super(...given);
      work.forms++;
      work.fields += this.size;
    }
  };
  crypto.createHmac = (...given: Parameters<typeof createHmac>) => {
    work.hmacs++;
    return createHmac(...given);
  };
  syncBuiltinESMExports();
  try {
    run();
  } finally {
    globalThis.URLSearchParams = Form;
    crypto.createHmac = createHmac;
    syncBuiltinESMExports();
  }
  return work;
}
