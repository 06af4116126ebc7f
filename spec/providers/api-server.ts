import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { startServer } from "../support/server.ts";

interface ApiRequest {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

export type ApiReply = (response: ServerResponse, request: IncomingMessage) => void;

export interface ApiServer {
  readonly url: string;
  /** What was asked, in order. */
  readonly requests: readonly ApiRequest[];
  /** How the next requests are answered. */
  reply: ApiReply;
  close(): Promise<void>;
}

/** A stand-in for a provider's API on the loopback interface. */
export async function startApi(): Promise<ApiServer> {
  const requests: ApiRequest[] = [];
  const server = await startServer((request, response) => {
    requests.push({ method: request.method, url: request.url, headers: request.headers });
    api.reply(response, request);
  });
  const api: ApiServer = { url: server.url, requests, reply: answer(500, {}), close: () => server.close() };
  return api;
}

/** Answers with a status and a body: an object as JSON, text as it is. */
export function answer(status: number, body: unknown, headers: Record<string, string> = {}): ApiReply {
  return (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
}

/** The error that a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("the promise was not rejected");
}
