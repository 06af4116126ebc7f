import { expect } from "chai";
import type { SecretResolver, SecretResolverOptions, UnverifiedRequest } from "../../src/bus/secret-resolver.ts";
import { ConfigurationError, SecretsUnavailableError } from "../../src/errors.ts";
import type { SigningKey, WebhookRequest } from "../../src/providers/provider.ts";
import { deferred } from "../receiver/harness.ts";
import { type Log, type PlainBus, plainBus, rejectionOf } from "../support/bus.ts";
import { FakeClock, settle } from "../support/clock.ts";

const request = (url: string, more: Partial<WebhookRequest> = {}): WebhookRequest => ({
  method: "POST",
  url,
  headers: { "x-tenant": "a" },
  body: Buffer.from("{}"),
  ip: "192.0.2.1",
  ...more,
});

const textOf = (keys: readonly SigningKey[]): string[] => keys.map(({ key }) => key.export().toString());

describe("a function that finds secrets", () => {
  let clock: FakeClock;
  let bus: PlainBus;
  let asked: string[];

  beforeEach(() => {
    clock = new FakeClock();
    bus = plainBus({ clock });
    asked = [];
  });

  /** Finds `secret of /path`, and none for `/none`; remembers what it was asked. */
  const find = ({ url }: UnverifiedRequest): string | null => {
    asked.push(url);
    return url.startsWith("/none") ? null : `secret of ${url}`;
  };
  const texts = async (url: string): Promise<string[]> => textOf(await bus.keysFor(request(url)));

  it("gives the keys for each request, and counts as authentication", async () => {
    expect(bus.verifies).to.equal(false);
    bus.signingSecrets = async (unverified) => find(unverified);
    bus.assertReady();
    expect(bus.verifies).to.equal(true);
    expect([bus.keys, bus.signingSecrets]).to.deep.equal([[], []]);
    expect(await texts("/a")).to.deep.equal(["secret of /a"]);
    expect(await texts("/b")).to.deep.equal(["secret of /b"]);
  });

  it("may give one, several, with labels of their own, and at once", async () => {
    bus.signingSecrets = () => ["one", undefined, { label: "next", secret: "two", notAfter: 1_800_000_000_000 }];
    const keys = await bus.keysFor(request("/"));
    expect(keys.map(({ key: _, ...rest }) => rest)).to.deep.equal([
      { label: "signingSecrets[0]", scheme: "v1" },
      { label: "next", scheme: "v1", notAfter: 1_800_000_000_000 },
    ]);
    expect((bus.logger as Log).lines).to.have.length(1);
  });

  it("sees method, URL, headers and address, no body, and can change nothing", async () => {
    const seen: UnverifiedRequest[] = [];
    bus.signingSecrets = {
      resolve(unverified) {
        seen.push(unverified);
        return "secret";
      },
      cacheKey: ({ headers, ip }) => `${headers["x-tenant"]} ${ip}`,
    };
    await bus.keysFor(request("/a"));
    expect(seen).to.deep.equal([{ method: "POST", url: "/a", headers: { "x-tenant": "a" }, ip: "192.0.2.1" }]);
    expect(Object.isFrozen(seen[0])).to.equal(true);
  });

  for (const part of ["headers", "ip"] as const) {
    it(`cannot read ${part} without a key of its own, which tenants would share`, async () => {
      bus.signingSecrets = async (unverified) => String(unverified[part]);
      const error = await rejectionOf(Promise.resolve(bus.keysFor(request("/"))));
      expect(error).to.be.instanceOf(ConfigurationError);
      expect(error).to.have.property(
        "message",
        "the function set as `signingSecrets` reads more than method and URL: set { resolve, cacheKey }, " +
          "with all it reads in the key",
      );
    });
  }

  it("takes null, undefined and an empty list for no such tenant", async () => {
    for (const none of [null, undefined, []]) {
      bus.signingSecrets = async () => none;
      expect(await bus.keysFor(request("/"))).to.deep.equal([]);
    }
  });

  const misshapen: readonly (readonly [value: unknown, message: string])[] = [
    [5, "`signingSecrets` must be a string"],
    ["", "`signingSecrets` is empty: is the environment variable filled?"],
    [["one", " two"], "`signingSecrets[1]` has white space at its start or end: trim it where it is stored"],
    [[undefined], "`signingSecrets` holds no secret: every entry is undefined"],
    [{ label: "a" }, "`signingSecrets` has no `secret`: what a setting reads as are labels, not secrets"],
    [() => "one", "`signingSecrets` must be a string"],
  ];
  for (const [index, [value, message]] of misshapen.entries()) {
    it(`is at fault when it gives what cannot be a secret (${index + 1}), and is asked again`, async () => {
      let asks = 0;
      bus.signingSecrets = (() => {
        asks += 1;
        return value;
      }) as SecretResolver;
      for (const _ of [1, 2]) {
        const error = await rejectionOf(Promise.resolve(bus.keysFor(request("/"))));
        expect(error).to.be.instanceOf(ConfigurationError).with.property("message", message);
      }
      expect(asks).to.equal(2);
    });
  }

  it("that throws or rejects makes secrets unavailable, and is asked again", async () => {
    const cause = new Error("the database is down");
    for (const resolve of [
      () => Promise.reject(cause),
      () => {
        throw cause;
      },
    ]) {
      bus.signingSecrets = resolve;
      const error = await rejectionOf(Promise.resolve(bus.keysFor(request("/"))));
      expect(error).to.be.instanceOf(SecretsUnavailableError).with.property("cause", cause);
      expect(error).to.have.property("message", "the function set as `signingSecrets` failed");
    }
    bus.signingSecrets = { resolve: async () => "secret" };
    expect(await texts("/")).to.deep.equal(["secret"]);
  });

  it("that takes too long makes secrets unavailable, and leaves no timer behind", async () => {
    const { promise, resolve } = deferred<string>();
    bus.signingSecrets = { resolve: () => promise, timeoutMs: 1_000 };
    const late = rejectionOf(Promise.resolve(bus.keysFor(request("/"))));
    await clock.advance(999);
    expect(clock.pending).to.equal(1);
    await clock.advance(1);
    expect(await late)
      .to.be.instanceOf(SecretsUnavailableError)
      .with.nested.property("cause.message", "no answer within 1000 ms");
    resolve("secret");
    expect(await texts("/")).to.deep.equal(["secret"]);
    expect(clock.pending).to.equal(0);
  });

  it("has ten seconds by default", async () => {
    bus.signingSecrets = () => new Promise<string>(() => {});
    const late = rejectionOf(Promise.resolve(bus.keysFor(request("/"))));
    await clock.advance(9_999);
    expect(clock.pending).to.equal(1);
    await clock.advance(1);
    expect(await late).to.be.instanceOf(SecretsUnavailableError);
  });

  describe("is not asked again", () => {
    it("for a minute, and its keys are made once", async () => {
      bus.signingSecrets = find;
      const [first] = await bus.keysFor(request("/a"));
      await clock.advance(59_999);
      expect((await bus.keysFor(request("/a")))[0]).to.equal(first);
      expect(asked).to.deep.equal(["/a"]);
      await clock.advance(1);
      await bus.keysFor(request("/a"));
      expect(asked).to.deep.equal(["/a", "/a"]);
    });

    it("for five seconds where there was no secret", async () => {
      bus.signingSecrets = find;
      expect(await texts("/none")).to.deep.equal([]);
      await clock.advance(4_999);
      await texts("/none");
      expect(asked).to.have.length(1);
      await clock.advance(1);
      await texts("/none");
      expect(asked).to.have.length(2);
    });

    it("for as long as `ttlMs` says, which holds for what is not there as well where it is shorter", async () => {
      bus.signingSecrets = { resolve: find, ttlMs: 1_000 };
      for (const url of ["/a", "/none"]) {
        asked.length = 0;
        await texts(url);
        await clock.advance(999);
        await texts(url);
        expect(asked, url).to.have.length(1);
        await clock.advance(1);
        await texts(url);
        expect(asked, url).to.have.length(2);
      }
    });

    it("while it is being asked", async () => {
      const answer = deferred<string>();
      bus.signingSecrets = (unverified) => {
        asked.push(unverified.url);
        return answer.promise;
      };
      const all = Promise.all([texts("/a"), texts("/a"), texts("/a"), texts("/b")]);
      await settle();
      expect(asked).to.deep.equal(["/a", "/b"]);
      answer.resolve("secret");
      expect(await all).to.deep.equal(Array(4).fill(["secret"]));
    });

    it("for what its `cacheKey` takes for the same", async () => {
      bus.signingSecrets = { resolve: find, cacheKey: ({ url }) => url.split("?")[0] as string };
      expect(await texts("/a?1")).to.deep.equal(["secret of /a?1"]);
      expect(await texts("/a?2")).to.deep.equal(["secret of /a?1"]);
      expect(asked).to.deep.equal(["/a?1"]);
    });
  });

  describe("is not asked by everybody at once", () => {
    const FLIGHTS = 100;
    const none = "100 of its calls are underway";

    it("but a hundred times: what comes then makes secrets unavailable, without waiting for any of them", async () => {
      const answer = deferred<string>();
      let underway = 0;
      let most = 0;
      bus.signingSecrets = async () => {
        underway += 1;
        most = Math.max(most, underway);
        await answer.promise;
        underway -= 1;
        return "secret";
      };
      const all = Array.from({ length: 5_000 }, (_, index) => texts(`/?tenant=${index}`));
      const refused = await Promise.all(all.slice(FLIGHTS).map(rejectionOf));
      expect(refused).to.have.length(4_900);
      for (const error of refused) {
        expect(error).to.be.instanceOf(SecretsUnavailableError).with.nested.property("cause.message", none);
      }
      answer.resolve("secret");
      expect(await Promise.all(all.slice(0, FLIGHTS))).to.deep.equal(Array(FLIGHTS).fill(["secret"]));
      expect([most, underway, clock.pending]).to.deep.equal([FLIGHTS, 0, 0]);
      // Nothing is kept of those that were refused.
      expect(await texts("/?tenant=4999")).to.deep.equal(["secret"]);
    });

    it("while those whose secrets are known, or being fetched, are served", async () => {
      const answer = deferred<string>();
      bus.signingSecrets = (unverified) => (unverified.url === "/known" ? "known" : answer.promise);
      expect(await texts("/known")).to.deep.equal(["known"]);
      const all = Array.from({ length: FLIGHTS }, (_, index) => texts(`/${index}`));
      const shared = texts("/0");
      expect(await texts("/known")).to.deep.equal(["known"]);
      expect(await rejectionOf(texts("/new"))).to.be.instanceOf(SecretsUnavailableError);
      answer.resolve("secret");
      expect(await shared).to.deep.equal(["secret"]);
      await Promise.all(all);
    });

    it("and a call that never ends counts until it is given up, whatever fails or is forgotten meanwhile", async () => {
      const hung = (): Promise<string> => new Promise(() => {});
      bus.signingSecrets = { resolve: hung, timeoutMs: 1_000 };
      const all = Array.from({ length: FLIGHTS }, (_, index) => rejectionOf(texts(`/${index}`)));
      bus.invalidateSecrets();
      expect(await rejectionOf(texts("/new"))).to.have.nested.property("cause.message", none);
      await clock.advance(1_000);
      await Promise.all(all);
      const next = rejectionOf(texts("/new"));
      await clock.advance(1_000);
      expect(await next).to.have.nested.property("cause.message", "no answer within 1000 ms");
    });
  });

  it("is asked for each method and whole URL, as it may read both", async () => {
    bus.signingSecrets = find;
    await texts("/a");
    await texts("/a?tenant=b");
    await texts("https://b.example/a");
    await bus.keysFor(request("/a", { method: "GET" }));
    expect(asked).to.deep.equal(["/a", "/a?tenant=b", "https://b.example/a", "/a"]);
  });

  it("is at fault when its `cacheKey` is no string", async () => {
    bus.signingSecrets = { resolve: find, cacheKey: (() => undefined) as never };
    const error = await rejectionOf(Promise.resolve(bus.keysFor(request("/"))));
    expect(error)
      .to.be.instanceOf(ConfigurationError)
      .with.property("message", "`signingSecrets.cacheKey` must return a string");
    expect(asked).to.deep.equal([]);
  });

  it("keeps as many results as it may, and those without a secret apart", async () => {
    bus.signingSecrets = { resolve: find, max: 2 };
    for (const url of ["/a", "/b"]) await texts(url);
    for (let i = 0; i < 100; i++) await texts(`/none/${i}`);
    asked.length = 0;
    for (const url of ["/a", "/b", "/none/98", "/none/99"]) await texts(url);
    expect(asked).to.deep.equal([]);
    await texts("/none/97");
    await texts("/c");
    await texts("/b");
    await texts("/a");
    expect(asked).to.deep.equal(["/none/97", "/c", "/a"]);
  });

  it("is believed when a tenant comes or goes", async () => {
    let secret: string | null = null;
    bus.signingSecrets = { resolve: () => secret, ttlMs: 1_000 };
    for (const now of ["one", null, "two"]) {
      secret = now;
      await clock.advance(1_000);
      for (const _ of [1, 2]) expect(await texts("/")).to.deep.equal(now === null ? [] : [now]);
    }
  });

  describe("invalidateSecrets", () => {
    it("forgets what was found, and that nothing was", async () => {
      bus.signingSecrets = find;
      for (const _ of [1, 2]) {
        await texts("/a");
        await texts("/none");
        bus.invalidateSecrets();
      }
      expect(asked).to.deep.equal(["/a", "/none", "/a", "/none"]);
    });

    it("keeps nothing that was being fetched, and does not wait for it", async () => {
      const answers = [deferred<string>(), deferred<string>()];
      let asks = 0;
      bus.signingSecrets = () => (answers[asks++] as (typeof answers)[0]).promise;
      const before = texts("/");
      await settle();
      bus.invalidateSecrets();
      const after = texts("/");
      answers[1]?.resolve("new");
      expect(await after).to.deep.equal(["new"]);
      answers[0]?.resolve("old");
      expect(await before).to.deep.equal(["old"]);
      expect(await texts("/")).to.deep.equal(["new"]);
      expect(asks).to.equal(2);
    });

    it("does nothing to secrets that are set, or to a bus without any", async () => {
      bus.invalidateSecrets();
      bus.signingSecrets = "one";
      bus.invalidateSecrets();
      expect(await texts("/")).to.deep.equal(["one"]);
    });
  });

  it("gives way to secrets, and takes their place", async () => {
    bus.signingSecrets = "one";
    bus.signingSecrets = find;
    expect(await texts("/a")).to.deep.equal(["secret of /a"]);
    bus.signingSecrets = "two";
    expect(bus.keysFor(request("/a"))).to.equal(bus.keys);
    expect(textOf(bus.keys)).to.deep.equal(["two"]);
  });

  it("is no way to have two settings, and none to find `privateSignature`", () => {
    bus.signingSecrets = find;
    expect(() => {
      bus.privateSignature = "one";
    }).to.throw(ConfigurationError, "`privateSignature` and `signingSecrets` are both set");
    bus = plainBus();
    expect(() => {
      bus.privateSignature = find as never;
    }).to.throw(ConfigurationError, "`privateSignature` takes a secret, not a function");
    expect(bus.verifies).to.equal(false);
  });

  const ABOVE_ZERO = "a number of milliseconds above zero";
  const refused: readonly (readonly [options: object, message: string])[] = [
    [{ resolve: "secret" }, "`signingSecrets.resolve` must be a function"],
    [{ resolve: undefined }, "`signingSecrets.resolve` must be a function"],
    [{ resolve: find, cacheKey: "path" }, "`signingSecrets.cacheKey` must be a function"],
    [{ resolve: find, ttl: 5 }, "`signingSecrets` of a resolver has no option `ttl`"],
    ...[-1, Number.NaN, Number.POSITIVE_INFINITY, "60"].map(
      (ttlMs) =>
        [{ resolve: find, ttlMs }, "`signingSecrets.ttlMs` must be a number of milliseconds, zero or more"] as const,
    ),
    ...[0, 1.5, Number.POSITIVE_INFINITY, "9"].map(
      (max) => [{ resolve: find, max }, "`signingSecrets.max` must be a whole number above zero"] as const,
    ),
    ...[0, Number.NaN, Number.POSITIVE_INFINITY, "9"].map(
      (timeoutMs) => [{ resolve: find, timeoutMs }, `\`signingSecrets.timeoutMs\` must be ${ABOVE_ZERO}`] as const,
    ),
  ];
  for (const [index, [options, message]] of refused.entries()) {
    it(`refuses options that cannot be meant (${index + 1})`, () => {
      expect(() => {
        bus.signingSecrets = options as SecretResolverOptions;
      })
        .to.throw(ConfigurationError)
        .with.property("message", message);
      expect(() => bus.assertReady()).to.throw(ConfigurationError, message);
    });
  }

  it("can be asked each time", async () => {
    bus.signingSecrets = { resolve: find, ttlMs: 0 };
    await texts("/a");
    await texts("/a");
    expect(asked).to.deep.equal(["/a", "/a"]);
  });
});
