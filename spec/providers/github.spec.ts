import { createHash, createHmac } from "node:crypto";
import { expect } from "chai";
import { nodeHandler } from "../../src/adapters/node.ts";
import { ConfigurationError, PayloadError } from "../../src/errors.ts";
import { EventBus } from "../../src/event-bus.ts";
import { type GitHubBus, GitHubEvent } from "../../src/github.ts";
import { notifications } from "../../src/notifications.ts";
import { github } from "../../src/providers/github.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { startServer } from "../support/server.ts";
import { providerContract } from "./contract.ts";
import { Deliveries, readOf, requestOf } from "./deliver.ts";
import { fixture } from "./fixture.ts";

const SECRET = "It's a Secret to Everybody";
const ID = "72d3162e-cc78-11e3-81ab-4c9367dc0958";
const text = (name: string): string => JSON.stringify(fixture(`github/${name}.json`));
const headers = (event: string, id: string = ID) => ({ "x-github-event": event, "x-github-delivery": id });
const deliveries = (): Deliveries => new Deliveries(github(), SECRET);

/** The fixtures by the name of their event. */
const SAMPLES: readonly (readonly [event: string, file: string, type: string])[] = [
  ["push", "push", "push"],
  ["ping", "ping", "ping"],
  ["issues", "issues.opened", "issues.opened"],
  ["issue_comment", "issue_comment.created", "issue_comment.created"],
  ["pull_request", "pull_request.opened", "pull_request.opened"],
  ["pull_request_review", "pull_request_review.submitted", "pull_request_review.submitted"],
  ["star", "star.created", "star.created"],
  ["watch", "watch.started", "watch.started"],
  ["repository_dispatch", "repository_dispatch", "repository_dispatch.on-demand-test"],
];

providerContract(github as () => unknown as () => Provider, [
  {
    name: "JSON",
    secret: SECRET,
    otherSecret: "mysecret",
    body: text("issues.opened"),
    headers: headers("issues"),
    freshHeaders: { "x-github-delivery": "another" },
  },
  {
    name: "a form",
    secret: SECRET,
    otherSecret: "mysecret",
    body: new URLSearchParams({ payload: text("push") }).toString(),
    headers: { ...headers("push"), "content-type": "application/x-www-form-urlencoded" },
    freshHeaders: { "x-github-delivery": "another" },
  },
]);

describe("github", () => {
  it("says what it is", () => {
    const { name, namespace, delimiter, methods, toleranceSeconds, retrieval } = github();
    expect({ name, namespace, delimiter, methods, toleranceSeconds, retrieval }).to.deep.equal({
      name: "github",
      namespace: "github_event",
      delimiter: ".",
      methods: ["POST"],
      toleranceSeconds: 0,
      retrieval: undefined,
    });
    expect(GitHubEvent.name).to.equal("github");
    expect(GitHubEvent.notifications).to.equal(notifications);
  });

  it("delivers id, type and payload", () => {
    const body = text("issues.opened");
    expect(readOf(github(), body, headers("issues"))).to.deep.equal({
      id: ID,
      type: "issues.opened",
      key: createHash("sha256").update(body).digest("hex"),
      livemode: undefined,
      created: undefined,
      account: undefined,
      data: JSON.parse(body),
      event: { id: ID, type: "issues.opened", payload: JSON.parse(body) },
      unsigned: ["id", "type"],
    });
  });

  for (const [event, file, type] of SAMPLES) {
    it(`takes "${file}" for ${type}, and under no other name`, () => {
      expect(readOf(github(), text(file), headers(event)).type).to.equal(type);
      const others = SAMPLES.map(([name]) => name).filter((name) => name !== event);
      for (const other of [...others, "public", "workflow_run", "installation_repositories"]) {
        expect(() => readOf(github(), text(file), headers(other)), other).to.throw(
          PayloadError,
          `the payload is not that of the event "${other}" which the header X-GitHub-Event names`,
        );
      }
    });
  }

  it("tells apart payloads that hold one another's keys", () => {
    const read = (event: string, payload: object): unknown => readOf(github(), JSON.stringify(payload), headers(event));
    const comment = { comment: {} };
    for (const [event, payload] of [
      ["commit_comment", comment],
      ["pull_request_review_comment", { ...comment, pull_request: {} }],
      ["pull_request_review_thread", { pull_request: {}, thread: {} }],
      ["discussion_comment", { ...comment, discussion: {} }],
      ["create", { ref: "v1", ref_type: "tag", master_branch: "main" }],
      ["delete", { ref: "v1", ref_type: "tag" }],
      ["star", { action: "deleted", starred_at: null }],
      ["public", { repository: {} }],
      ["repository", { action: "created", repository: {}, installation: {}, organization: {} }],
      ["membership", { member: {}, team: {} }],
      ["label", { label: {} }],
      ["constructor", { anything: 1 }],
      ["brand_new", { pull_request: {} }],
    ] as const) {
      expect(() => read(event, payload), event).not.to.throw();
    }
    for (const [event, payload] of [
      ["commit_comment", { ...comment, issue: {} }],
      ["commit_comment", { ...comment, pull_request: {} }],
      ["pull_request", { pull_request: {}, thread: {} }],
      ["pull_request", { pull_request: {}, ...comment }],
      ["discussion", { discussion: {}, ...comment }],
      ["delete", { ref: "v1", ref_type: "tag", master_branch: "main" }],
      ["public", { action: "created", repository: {} }],
      ["member", { member: {}, team: {} }],
      ["label", { label: {}, issue: {} }],
      ["star", { __proto__: { starred_at: null } }],
      ["ping", {}],
      ["push", { ref: "refs/heads/main" }],
    ] as const) {
      expect(() => read(event, payload), event).to.throw(PayloadError);
    }
  });

  it("adds no action that cannot be a part of a type", () => {
    const read = (action: unknown) =>
      readOf(github(), JSON.stringify({ action, branch: "main", client_payload: {} }), headers("repository_dispatch"));
    expect(read("deploy.eu-1").type).to.equal("repository_dispatch.deploy.eu-1");
    for (const odd of ["deploy now", "", ".", "a..b", "a.", "ü", 5, null, {}, "x".repeat(101)]) {
      expect(read(odd).type, String(odd)).to.equal("repository_dispatch");
    }
  });

  it("refuses a delivery that names no event, or no id", () => {
    for (const odd of [undefined, "", "a.b", "a b", "a/b"]) {
      const named = odd === undefined ? {} : { "x-github-event": odd };
      expect(() => readOf(github(), "{}", { "x-github-delivery": ID, ...named }), odd).to.throw(
        PayloadError,
        "the header X-GitHub-Event names no event",
      );
    }
    expect(() => readOf(github(), text("ping"), { "x-github-event": "ping" })).to.throw(PayloadError, "no `id`");
    expect(() => github().read({ zen: "" })).to.throw(PayloadError, "X-GitHub-Event");
  });

  it("reads a form's payload, and never a JSON body as a form", () => {
    const form = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
    const body = new URLSearchParams({ payload: text("push") }).toString();
    const read = readOf(github(), body, { ...headers("push"), ...form });
    expect(read.event).to.deep.equal({ id: ID, type: "push", payload: fixture("github/push.json") });
    expect(read.key).to.equal(createHash("sha256").update(body).digest("hex"));
    // What somebody wrote into an issue must not become a payload, just because an unsigned header says "form".
    const issue = JSON.stringify({ action: "opened", issue: { title: '&payload={"zen":"Design for failure."}&' } });
    expect(readOf(github(), issue, { ...headers("issues"), ...form }).type).to.equal("issues.opened");
    expect(() => readOf(github(), issue, { ...headers("ping"), ...form })).to.throw(PayloadError);
  });

  it("counts SHA-1 for nothing", async () => {
    const body = text("ping");
    const sha1 = createHmac("sha1", SECRET).update(body).digest("hex");
    const { bus, types } = deliveries();
    const receipt = await bus.receive(requestOf(body, { ...headers("ping"), "x-hub-signature": `sha1=${sha1}` }));
    expect(receipt.status).to.equal(401);
    const disguised = { ...headers("ping"), "x-hub-signature-256": `sha1=${sha1}` };
    expect((await bus.receive(requestOf(body, disguised))).status).to.equal(401);
    expect(types).to.deep.equal([]);
  });

  it("delivers to subscribers of the event, and of the event with its action", async () => {
    const to = deliveries();
    const heard: string[] = [];
    for (const pattern of ["issues", "issues.", "issues.opened", "issue", "issues.closed", "issues.open"]) {
      to.bus.subscribe(pattern, () => void heard.push(pattern));
    }
    expect((await to.post(text("issues.opened"), headers("issues"))).status).to.equal(200);
    expect(heard).to.deep.equal(["issues", "issues.", "issues.opened"]);
    expect(to.events).to.deep.equal([{ id: ID, type: "issues.opened", payload: fixture("github/issues.opened.json") }]);
  });

  it("runs a body once, whatever its headers say when it comes again", async () => {
    const to = deliveries();
    const body = text("pull_request.opened");
    expect((await to.post(body, headers("pull_request"))).outcome).to.equal("handled");
    expect((await to.post(body, headers("pull_request"))).outcome).to.equal("duplicate");
    expect((await to.post(body, headers("pull_request", "fresh"))).outcome).to.equal("duplicate");
    expect((await to.post(body, headers("issues", "fresh"))).status).to.equal(400);
    expect((await to.post(body, headers("brand_new", "fresh"))).outcome).to.equal("duplicate");
    expect(to.types).to.deep.equal(["pull_request.opened"]);
  });

  it("takes only the types that it was mounted for", async () => {
    const to = deliveries();
    const server = await startServer(nodeHandler(to.bus, { types: ["push"] }));
    try {
      const outcomes: number[] = [];
      for (const [event, file] of [
        ["issues", "issues.opened"],
        ["push", "push"],
      ] as const) {
        const body = text(file);
        const signed = { ...headers(event), ...github().sign(body, { secret: SECRET }) };
        outcomes.push((await fetch(server.url, { method: "POST", headers: signed, body })).status);
      }
      expect(outcomes).to.deep.equal([200, 200]);
      expect(to.types).to.deep.equal(["push"]);
    } finally {
      await server.close();
    }
  });

  it("gives subscribers the type that they asked for", () => {
    const bus: GitHubBus = new EventBus(github());
    bus.subscribe("issues.opened", ({ type, payload }) => [type satisfies "issues.opened", payload["issue"]]);
    bus.subscribe("star.", ({ type }) => type satisfies "star.created" | "star.deleted");
    bus.subscribe("brand_new", ({ id, type, payload }) => [id, type, payload] satisfies unknown[]);
    expect(bus.listening("issues.opened")).to.equal(true);
  });

  it("takes no token for a secret", () => {
    for (const token of ["ghp_abc", "gho_abc", "ghs_abc", "github_pat_abc"]) {
      expect(() => (deliveries().bus.signingSecrets = token)).to.throw(
        ConfigurationError,
        "holds a token for GitHub's API",
      );
    }
    deliveries().bus.signingSecrets = ["ghost_secret", "my ghp_ secret"];
  });

  it("signs as GitHub documents it", () => {
    expect(github().sign("Hello, World!", { secret: SECRET })).to.deep.equal({
      "x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    });
  });
});
