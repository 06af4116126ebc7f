import { readFileSync } from "node:fs";
import nock from "nock";
import { nodeHandler } from "../../src/adapters/node.ts";
import type { Endpoint } from "../../src/receiver/endpoint.ts";
import { startServer, type TestServer } from "../support/server.ts";

// nock patches node:http for the whole process from the moment it is imported: only these specs want that.
nock.restore();

/** One of the gems' fixtures: `evt_charge_paid` is `fixtures/evt_charge_paid.json`. */
export function fixtureText(id: string): string {
  return readFileSync(new URL(`../../fixtures/${id}.json`, import.meta.url), "utf8");
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Headers;
}

/** What the gems' specs have at hand: a mounted endpoint, a stubbed API, and somewhere to note calls. */
export class Harness {
  readonly #api: string;
  readonly #path: string;
  #server: TestServer | undefined;

  /** @param api the origin of the provider's API, and the path under which it has its events. */
  constructor(api: string, path: string) {
    this.#api = api;
    this.#path = path;
  }

  /** Registers the hooks that keep specs apart. Call it in a `describe`. */
  install(): void {
    before(() => {
      if (!nock.isActive()) nock.activate();
    });
    afterEach(async () => {
      nock.cleanAll();
      await this.#server?.close();
      this.#server = undefined;
    });
    after(() => nock.restore());
  }

  /** The gems' `stub_event`: the API answers `GET {path}/{id}`, once. */
  stubEvent(
    id: string,
    body: string | object = fixtureText(id),
    status = 200,
    headers?: Record<string, string>,
    delayMs = 0,
  ): nock.Scope {
    return nock(this.#api, headers ? { reqheaders: headers } : {})
      .get(`${this.#path}/${id}`)
      .delay(delayMs)
      .reply(status, body, { "content-type": "application/json" });
  }

  /** Posts to a server that has the endpoint mounted; text goes out as it is, anything else as JSON. */
  async post(endpoint: Endpoint, body: string | object, headers: Record<string, string> = {}): Promise<Answer> {
    await this.#server?.close();
    this.#server = await startServer(nodeHandler(endpoint));
    const response = await fetch(this.#server.url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    return { status: response.status, body: await response.text(), headers: response.headers };
  }
}

export const RECEIVED = '{"received":true}';
export const REFUSED = '{"received":false}';
