import { expect } from "chai";
import { expressHandler } from "../../src/adapters/express.ts";
import { fetchHandler } from "../../src/adapters/fetch.ts";
import { nodeHandler } from "../../src/adapters/node.ts";
import { ConfigurationError, StoreUnavailableError } from "../../src/errors.ts";
import { RecordingEndpoint } from "../support/endpoint.ts";

for (const [name, makeHandler] of Object.entries({ nodeHandler, expressHandler, fetchHandler })) {
  describe(`${name}, just after boot`, () => {
    let endpoint: RecordingEndpoint;
    let asked: number;

    beforeEach(() => {
      endpoint = new RecordingEndpoint();
      asked = 0;
    });

    const failWith = (error: unknown): void => {
      endpoint.assertReady = () => {
        asked += 1;
        throw error;
      };
    };

    it("asks whether the endpoint is ready, when the code that makes the handler is through", async () => {
      endpoint.assertReady = () => {
        asked += 1;
      };
      makeHandler(endpoint);
      await Promise.resolve();
      expect(asked).to.equal(0);
      await new Promise(setImmediate);
      expect(asked).to.equal(1);
      expect(endpoint.errors).to.deep.equal([]);
    });

    it("logs what is missing, and goes on", async () => {
      failWith(new ConfigurationError("`signingSecrets` is missing"));
      const logged = endpoint.next("logged");
      makeHandler(endpoint);
      await logged;
      expect(endpoint.errors).to.deep.equal([
        { message: "`signingSecrets` is missing", fields: { code: "HOOKBUS_CONFIGURATION" } },
      ]);
    });

    it("opens what the first delivery would have to open, once it is ready, and logs where that fails", async () => {
      let opened = 0;
      endpoint.open = async () => {
        opened += 1;
        throw new StoreUnavailableError("the inbox did not answer");
      };
      const logged = endpoint.next("logged");
      makeHandler(endpoint);
      await logged;
      expect(opened).to.equal(1);
      expect(endpoint.errors).to.deep.equal([
        { message: "the inbox did not answer", fields: { code: "HOOKBUS_STORE_UNAVAILABLE" } },
      ]);
      failWith(new ConfigurationError("`signingSecrets` is missing"));
      makeHandler(endpoint);
      await new Promise(setImmediate);
      expect(opened).to.equal(1);
    });

    it("logs a thrown thing that is no error", async () => {
      failWith("no");
      const logged = endpoint.next("logged");
      makeHandler(endpoint);
      await logged;
      expect(endpoint.errors).to.deep.equal([{ message: "no", fields: { code: undefined } }]);
    });

    it("survives a logger that throws", async () => {
      failWith(new ConfigurationError("`signingSecrets` is missing"));
      endpoint.logger.error = () => {
        throw new Error("no logs today");
      };
      makeHandler(endpoint);
      await new Promise(setImmediate);
      expect(asked).to.equal(1);
    });

    it("finds another way where there is no setImmediate", async () => {
      const { setImmediate: original } = globalThis;
      failWith(new ConfigurationError("`signingSecrets` is missing"));
      const logged = endpoint.next("logged");
      try {
        Reflect.deleteProperty(globalThis, "setImmediate");
        makeHandler(endpoint);
      } finally {
        globalThis.setImmediate = original;
      }
      await logged;
      expect(asked).to.equal(1);
    });
  });
}
