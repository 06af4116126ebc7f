import type { Readable, Writable } from "node:stream";
import type { RequestHeaders } from "../receiver/request.ts";

/** What a handler needs of a request: `http.IncomingMessage`, its HTTP/2 twin, and Express 4's and 5's all fit. */
export interface NodeRequest extends Readable {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: RequestHeaders;
  /** Whether all of the request has arrived. */
  readonly complete: boolean;
  readonly socket: { readonly remoteAddress?: string | undefined };
  /** HTTP/2's only. */
  readonly stream?: { close(): void } | undefined;
  /** Express's and Connect's: the URL before a router took its mount path off. */
  readonly originalUrl?: string | undefined;
  /** The bytes as a platform or a `verify` hook kept them. */
  readonly rawBody?: unknown;
  /** What a body parser left. */
  readonly body?: unknown;
}

/** What a handler needs of a response. */
export interface NodeResponse extends Writable {
  readonly headersSent: boolean;
  writeHead(status: number, headers: Readonly<Record<string, string | number>>): unknown;
  /** HTTP/1 only. */
  flushHeaders?(): void;
}

/** Express's and Connect's `next`. */
export type Next = (error?: unknown) => void;

/** A handler for `http.createServer`, and a middleware where there is a `next`. Never throws, never rejects. */
export type NodeHandler = (req: NodeRequest, res: NodeResponse, next?: Next) => Promise<void>;
