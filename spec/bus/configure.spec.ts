import { expect } from "chai";
import { Notifications } from "../../src/bus/notifications.ts";
import { ConfigurationError } from "../../src/errors.ts";
import { type PlainBus, plainBus } from "../support/bus.ts";
import { settle } from "../support/clock.ts";

describe("a bus", () => {
  describe("name", () => {
    it("is the provider's, or one of its own", () => {
      expect(plainBus().name).to.equal("plain");
      expect(plainBus({ name: "stripe-mx_2" }).name).to.equal("stripe-mx_2");
      expect(plainBus({ name: "a" }).name).to.equal("a");
      expect(plainBus({ name: "a".repeat(64) }).name).to.have.length(64);
    });

    it("is made of letters, digits, hyphens and underscores, since paths and keys carry it", () => {
      for (const name of ["", " ", "a b", "a/b", "a:b", "a.b", "-a", "a-", "_a", "a_", "ñ", "a\n", "a".repeat(65)]) {
        expect(() => plainBus({ name }), JSON.stringify(name)).to.throw(
          ConfigurationError,
          "`name` of a bus must be letters, digits, `-` and `_`, 64 at most",
        );
      }
    });
  });

  it("publishes on notifications of its own unless it is handed some", () => {
    const notifications = new Notifications();
    expect(plainBus({ notifications }).notifications).to.equal(notifications);
    expect(plainBus().notifications).not.to.equal(plainBus().notifications);
    expect(() => plainBus({ notifications: {} as Notifications })).to.throw(
      ConfigurationError,
      "`notifications` must be a Notifications: new Notifications(emitter)",
    );
  });

  for (const verb of ["configure", "setup"] as const) {
    describe(verb, () => {
      let bus: PlainBus;

      beforeEach(() => {
        bus = plainBus();
      });

      it("calls the function with the bus, at once, and gives the bus back", () => {
        const got: unknown[] = [];
        expect(bus[verb]((...args) => void got.push(...args))).to.equal(bus);
        expect(got).to.have.length(1);
        expect(got[0]).to.equal(bus);
      });

      it("lets what the function throws through", () => {
        const error = new Error("mine");
        expect(() =>
          bus[verb](() => {
            throw error;
          }),
        ).to.throw(error);
      });

      it("wants a function", () => {
        for (const block of [undefined, null, {}, "block"]) {
          expect(() => bus[verb](block as never)).to.throw(
            TypeError,
            "`configure` needs a function that takes the bus",
          );
        }
      });

      it("refuses an async function, whose settings would come too late, rejection and all", async () => {
        const message = "the function given to `configure` must not be async";
        expect(() => bus[verb](async () => {})).to.throw(TypeError, message);
        expect(() => bus[verb](() => Promise.reject(new Error("nobody hears of it")))).to.throw(TypeError, message);
        const key = "then";
        expect(() => bus[verb](() => ({ [key]() {} }))).to.throw(TypeError, message);
        await settle(); // an unhandled rejection would end the run here
      });

      it("keeps a bus that was ready from being so until it has run to its end, whoever catches what ended it", () => {
        bus.signingSecrets = "secret";
        const ended: Record<string, () => void> = {
          async: () => bus[verb](async () => {}),
          throwing: () =>
            bus[verb](() => {
              throw new Error("before the last gate was set");
            }),
          missing: () => bus[verb](undefined as never),
        };
        for (const [title, configure] of Object.entries(ended)) {
          bus.assertReady();
          expect(configure, title).to.throw();
          expect(() => bus.assertReady(), title).to.throw(ConfigurationError, "did not run to its end");
          bus[verb](() => {});
        }
        bus.assertReady();
      });

      it("takes any other result", () => {
        const key = "then";
        for (const result of [null, 0, "then", { [key]: true }, () => {}]) bus[verb](() => result);
      });
    });
  }
});
