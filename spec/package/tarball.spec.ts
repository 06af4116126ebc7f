import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { expect } from "chai";
import { entryFiles, specifierOf } from "./entries.ts";
import { mustRun, type Ran, run } from "./run.ts";
import { ROOT, stagedPackage, tsc } from "./stage.ts";

const DEPENDENCIES = ["cockatiel", "eventemitter3", "lru-cache"];
const QUIET = ["--no-audit", "--no-fund", "--ignore-scripts"];

/** What the consumer's programs share: they are plain JavaScript and know hookbus by its name alone. */
const SUPPORT = `
import { createServer } from "node:http";
import { once } from "node:events";

export async function deliver(listener, body, headers = {}) {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const response = await fetch("http://127.0.0.1:" + server.address().port, { method: "POST", headers, body });
    return { status: response.status, body: await response.text() };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
`;

describe("the packed package, installed without any peer", function () {
  this.timeout(120_000);

  let folder: string;
  let consumer: string;
  let packed: string[];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "hookbus-consumer-"));
    consumer = join(folder, "app");
    await mkdir(consumer);
    const pack = (source: string): Promise<Ran> =>
      mustRun("npm", ["pack", source, "--json", "--pack-destination", folder, ...QUIET], { cwd: ROOT });
    const [own] = await Promise.all([
      pack(await stagedPackage()),
      ...DEPENDENCIES.map((name) => pack(join(ROOT, "node_modules", name))),
    ]);
    const [{ files }] = JSON.parse(own?.stdout ?? "[]");
    packed = files.map((file: { path: string }) => file.path);

    await writeFile(join(consumer, "package.json"), '{ "name": "app", "private": true, "type": "module" }');
    await writeFile(join(consumer, "support.js"), SUPPORT);
    const tarballs = (await readdir(folder)).filter((name) => name.endsWith(".tgz")).map((name) => join(folder, name));
    await mustRun("npm", ["install", ...tarballs, "--offline", "--omit=peer", ...QUIET], { cwd: consumer });
  });

  after(() => rm(folder, { recursive: true, force: true }));

  let programs = 0;
  async function program(code: string, extension = "js"): Promise<Ran> {
    const file = `program-${programs++}.${extension}`;
    await writeFile(join(consumer, file), code);
    return run(process.execPath, [file], { cwd: consumer });
  }

  async function result(code: string, extension?: string): Promise<unknown> {
    const ran = await program(code, extension);
    expect(ran.code, ran.stderr).to.equal(0);
    return JSON.parse(ran.stdout);
  }

  it("holds what its `files` list says, and no specs, examples or tools", () => {
    const tops = [...new Set(packed.map((path) => path.split("/")[0]))].sort();
    expect(tops).to.deep.equal(
      ["CHANGELOG.md", "LICENSE", "README.md", "dist", "docs", "fixtures", "package.json", "src"].sort(),
    );
    expect(
      packed.filter((path) => /\.spec\.|(^|\/)(spec|examples|bench|tools|node_modules|\.\w)/.test(path)),
    ).to.deep.equal([]);
    expect(packed.filter((path) => path.startsWith("fixtures/") && !/\.(json|md)$/.test(path))).to.deep.equal([]);
  });

  it("holds a source for every map", () => {
    const maps = packed.filter((name) => name.endsWith(".js.map"));
    expect(maps).not.to.deep.equal([]);
    for (const path of maps) {
      const map = readFileSync(join(consumer, "node_modules/hookbus", path), "utf8");
      const { sources } = JSON.parse(map) as { readonly sources: readonly string[] };
      for (const source of sources) expect(packed, path).to.include(posix.join(posix.dirname(path), source));
    }
  });

  it("brings its dependencies and nothing else", async () => {
    const installed = (await readdir(join(consumer, "node_modules"))).filter((name) => !name.startsWith("."));
    expect(installed.sort()).to.deep.equal([...DEPENDENCIES, "hookbus"].sort());
  });

  for (const entry of entryFiles().keys()) {
    it(`can be imported as ${specifierOf(entry)}`, async () => {
      const names = await result(
        `console.log(JSON.stringify(Object.keys(await import(${JSON.stringify(specifierOf(entry))}))));`,
      );
      // hookbus/idempotency/store holds types alone.
      if (entry === "./idempotency/store") expect(names).to.deep.equal([]);
      else expect(names).to.be.an("array").that.is.not.empty;
    });
  }

  it("can be required from CommonJS, and is then the same package", async () => {
    const same = await result(
      `
      const { StripeEvent } = require("hookbus/stripe");
      const { EventBus } = require("hookbus");
      import("hookbus/stripe").then((module) => {
        console.log(JSON.stringify([StripeEvent instanceof EventBus, module.StripeEvent === StripeEvent]));
      });`,
      "cjs",
    );
    expect(same).to.deep.equal([true, true]);
  });

  it("handles a signed Stripe delivery over HTTP", async () => {
    const outcome = await result(`
      import { nodeHandler } from "hookbus/node";
      import { StripeEvent } from "hookbus/stripe";
      import { deliver } from "./support.js";

      const secret = "whsec_of_the_consumer";
      const seen = [];
      StripeEvent.configure((events) => {
        events.signingSecrets = secret;
        events.subscribe("charge.succeeded", (event, context) => seen.push([event.id, context.verifiedBy]));
      });
      const body = JSON.stringify({ id: "evt_1", object: "event", type: "charge.succeeded", data: { object: {} } });
      const { status } = await deliver(nodeHandler(StripeEvent), body, StripeEvent.provider.sign(body, { secret }));
      console.log(JSON.stringify({ status, seen }));
    `);
    expect(outcome).to.deep.equal({ status: 200, seen: [["evt_1", "signature"]] });
  });

  it("handles a Conekta delivery with a digest over HTTP", async () => {
    const outcome = await result(`
      import { generateKeyPairSync } from "node:crypto";
      import { ConektaEvent } from "hookbus/conekta";
      import { nodeHandler } from "hookbus/node";
      import { deliver } from "./support.js";

      const { publicKey, privateKey } = generateKeyPairSync("rsa", {
        modulusLength: 2048,
        publicKeyEncoding: { type: "spki", format: "pem" },
        privateKeyEncoding: { type: "pkcs8", format: "pem" },
      });
      const seen = [];
      ConektaEvent.configure((events) => {
        events.webhookKeys = publicKey;
        events.subscribe("order.", (event, context) => seen.push([event.id, context.verifiedBy]));
      });
      const body = JSON.stringify({ id: "evt_2", object: "event", type: "order.paid", data: { object: {} } });
      const headers = ConektaEvent.provider.sign(body, { secret: privateKey });
      const { status } = await deliver(nodeHandler(ConektaEvent), body, headers);
      console.log(JSON.stringify({ status, seen }));
    `);
    expect(outcome).to.deep.equal({ status: 200, seen: [["evt_2", "signature"]] });
  });

  for (const [peer, bus, id] of [
    ["stripe", "StripeEvent", "evt_1"],
    ["conekta", "ConektaEvent", "637e79cb70d06300013ea161"],
  ] as const) {
    it(`names the install command when a retrieval needs ${peer}, and answers 500`, async () => {
      const outcome = await result(`
        import { ${bus} as bus } from "hookbus/${peer}";
        import { nodeHandler } from "hookbus/node";
        import { deliver } from "./support.js";

        let failure;
        bus.configure((events) => {
          events.apiKey = "key_of_the_consumer";
          events.logger = { info() {}, warn() {}, error() {} };
          events.onError = (error) => (failure = error);
        });
        const { status, body } = await deliver(nodeHandler(bus), '{"id":"${id}"}');
        console.log(JSON.stringify({ status, body, code: failure.code, peer: failure.peer, message: failure.message }));
      `);
      expect(outcome).to.include({
        status: 500,
        body: '{"received":false}',
        code: "HOOKBUS_MISSING_PEER",
        peer,
      });
      expect(outcome).to.have.property("message").that.includes(`npm install ${peer}`);
    });
  }

  describe("in TypeScript", () => {
    /** The entry points whose events and options are typed by a peer's package. */
    const TYPED_BY: Readonly<Record<string, readonly string[]>> = {
      "./stripe": ["stripe"],
      "./conekta": ["conekta"],
      "./inbox/redis": ["bullmq", "ioredis"],
    };
    const all = [...entryFiles().keys()];
    const others = all.filter((entry) => !(entry in TYPED_BY));

    let projects = 0;
    /** Compiles a program of the consumer's, with Node's types and no others, and lists what is wrong. */
    async function errorsOf(code: string, skipLibCheck: boolean): Promise<string[]> {
      const project = join(consumer, `typed-${projects++}`);
      await mkdir(project);
      const compilerOptions = {
        target: "es2023",
        lib: ["es2023", "esnext.disposable", "dom", "dom.iterable"],
        module: "nodenext",
        strict: true,
        noEmit: true,
        skipLibCheck,
        typeRoots: [join(ROOT, "node_modules/@types")],
        types: ["node"],
      };
      await writeFile(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions }));
      await writeFile(join(project, "program.ts"), code);
      const { stdout } = await run(process.execPath, [tsc(), "--project", project], { cwd: consumer });
      return stdout.split("\n").filter((line) => line.includes("error TS"));
    }
    const importing = (entries: readonly string[]): string =>
      entries.map((entry, at) => `export type * as Entry${at} from "${specifierOf(entry)}";`).join("\n");

    it("is typed by itself alone, whatever the compiler looks at, but for three entry points", async () => {
      expect(others).to.include.members([".", "./express", "./github", "./inbox/postgres", "./idempotency/redis"]);
      expect(await errorsOf(importing(others), false)).to.deep.equal([]);
    });

    for (const [entry, peers] of Object.entries(TYPED_BY)) {
      it(`needs the types of ${peers.join(" and ")} for ${specifierOf(entry)} where \`skipLibCheck\` is off, and nothing else`, async () => {
        const errors = await errorsOf(importing([entry]), false);
        const missing = errors.map((line) => /error TS2307: Cannot find module '(.+?)'/.exec(line)?.[1] ?? line);
        expect([...new Set(missing)].sort()).to.deep.equal(peers);
      });
    }

    it("compiles where `skipLibCheck` is on: events that a package would type have what all events have", async () => {
      const code = `
        ${importing(all)}
        import { ConektaEvent } from "hookbus/conekta";
        import { GitHubEvent } from "hookbus/github";
        import { type StripeBaseEvent, StripeEvent } from "hookbus/stripe";
        import { expressHandler } from "hookbus/express";

        type Equals<One, Other> = [One, Other] extends [Other, One] ? true : false;
        declare function assert<Holds extends true>(): Holds | void;

        StripeEvent.configure((events) => {
          events.signingSecrets = process.env["STRIPE_SIGNING_SECRET"];
          events.subscribe("charge.refunded", (event) => {
            assert<Equals<typeof event, StripeBaseEvent>>();
            // @ts-expect-error it is no \`any\`
            void event.nothing;
          });
        });
        ConektaEvent.subscribe("order.paid", (event, { id }) => {
          void [event.id satisfies string, event.type satisfies string, id satisfies string];
        });
        GitHubEvent.subscribe("push", (event) => void (event.type satisfies string));
        // @ts-expect-error what hookbus types by itself is typed all the same
        StripeEvent.tolerance = "300";
        // @ts-expect-error as it is for other providers
        GitHubEvent.subscribe("push", (event) => event.nothing.of.the.kind);
        export const handler = expressHandler(StripeEvent);
      `;
      expect(await errorsOf(code, true)).to.deep.equal([]);
    });
  });

  it("keeps its insides closed", async () => {
    const ran = await program('await import("hookbus/dist/bus/bus.js");');
    expect(ran.stderr).to.include("ERR_PACKAGE_PATH_NOT_EXPORTED");
  });
});
