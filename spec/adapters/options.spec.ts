import { expect } from "chai";
import { expressHandler } from "../../src/adapters/express.ts";
import { fetchHandler } from "../../src/adapters/fetch.ts";
import { nodeHandler } from "../../src/adapters/node.ts";
import { ConfigurationError } from "../../src/errors.ts";
import { RecordingEndpoint } from "../support/endpoint.ts";

for (const [name, makeHandler] of Object.entries({ nodeHandler, expressHandler, fetchHandler })) {
  describe(`${name}, when it is made`, () => {
    for (const endpoint of [undefined, null, {}, () => {}]) {
      it(`refuses ${JSON.stringify(endpoint) ?? String(endpoint)} for an endpoint`, () => {
        expect(() => makeHandler(endpoint as never)).to.throw(TypeError, "`endpoint` must be a bus or a hub");
      });
    }

    for (const path of ["", "hooks", "https://example.com/hooks"]) {
      it(`refuses ${JSON.stringify(path)} for a path`, () => {
        expect(() => makeHandler(new RecordingEndpoint(), { path })).to.throw(ConfigurationError, "`path`");
      });
    }

    for (const types of ["push", [5], [["push"]], {}, null]) {
      it(`refuses ${JSON.stringify(types)} for types`, () => {
        expect(() => makeHandler(new RecordingEndpoint(), { types: types as never })).to.throw(
          ConfigurationError,
          '`types` must be a list of patterns, as in ["push", "issues."]',
        );
      });
    }

    for (const bodyTimeoutMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31]) {
      it(`refuses a bodyTimeoutMs of ${bodyTimeoutMs}`, () => {
        expect(() => makeHandler(new RecordingEndpoint(), { bodyTimeoutMs })).to.throw(
          ConfigurationError,
          "`bodyTimeoutMs`",
        );
      });
    }
  });
}
