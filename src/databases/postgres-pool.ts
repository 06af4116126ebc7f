import { ConfigurationError, StoreUnavailableError } from "../errors.ts";
import type { Row } from "./statement.ts";
import { assertCount, timeLimit } from "./time-limit.ts";

/** What hookbus uses of a client of `pg`. */
export interface PostgresClient {
  query(query: { readonly text: string; readonly values: unknown[]; readonly name?: string }): Promise<PostgresResult>;
  query(text: string, values?: unknown[]): Promise<PostgresResult>;
  on(event: "notification", listener: (message: { readonly channel: string }) => void): unknown;
  on(event: "error" | "end", listener: (error?: Error) => void): unknown;
  off(event: "error", listener: (error?: Error) => void): unknown;
  release(error?: boolean | Error): void;
}

/** What hookbus uses of a `Pool` of `pg`. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>;
  on(event: "error", listener: (error: Error) => void): unknown;
}

export interface PostgresResult {
  readonly rows: Row[];
  readonly rowCount: number | null;
}

/** Lends the clients of the user's pool, for no longer than they answer. */
export class PostgresClients {
  readonly #pool: PostgresPool;
  readonly #timeoutMs: number;
  /** Clients that must not go back into the pool, and why. */
  readonly #spoilt = new WeakMap<PostgresClient, Error>();

  constructor(pool: PostgresPool, timeoutMs = 10_000) {
    if (typeof pool?.connect !== "function" || typeof pool.on !== "function") {
      throw new ConfigurationError("`pool` must be a Pool of the package pg: new Pool({ connectionString })");
    }
    assertCount("timeoutMs", timeoutMs);
    this.#pool = pool;
    this.#timeoutMs = timeoutMs;
    survive(pool);
  }

  /** A client, for as long as the caller keeps it. */
  async checkOut(): Promise<PostgresClient> {
    const connecting = this.#pool.connect();
    try {
      return await timeLimit(connecting, this.#timeoutMs, "PostgreSQL");
    } catch (error) {
      // One that comes after all goes back to the pool at once.
      connecting.then((client) => client.release()).catch(() => undefined);
      throw error;
    }
  }

  /** Runs `work` on a client, and then gives the client back, or up where its state is unknown. */
  async lend<T>(work: (client: PostgresClient) => Promise<T>): Promise<T> {
    const client = await this.checkOut();
    const onError = (error?: Error): void => {
      this.#spoilt.set(client, error ?? new Error("the connection ended"));
    };
    client.on("error", onError);
    try {
      return await work(client);
    } finally {
      client.off("error", onError);
      client.release(this.#spoilt.get(client));
    }
  }

  /** Runs `work` in a transaction that `begin` begins. */
  transact<T>(begin: string, work: (client: PostgresClient) => Promise<T>): Promise<T> {
    return this.lend(async (client) => {
      await this.send(client, begin);
      try {
        const result = await work(client);
        await this.send(client, "COMMIT");
        return result;
      } catch (error) {
        await this.#rollBack(client);
        throw error;
      }
    });
  }

  send(client: PostgresClient, text: string): Promise<PostgresResult> {
    return this.inTime(client, client.query(text));
  }

  /** Waits for an answer of the client's, by default for `timeoutMs`. */
  async inTime<T>(client: PostgresClient, answer: Promise<T>, limitMs: number = this.#timeoutMs): Promise<T> {
    try {
      return await timeLimit(answer, limitMs, "PostgreSQL");
    } catch (error) {
      // It may still be at work: nobody else must get this client.
      if (error instanceof StoreUnavailableError) this.#spoilt.set(client, error);
      throw error;
    }
  }

  async #rollBack(client: PostgresClient): Promise<void> {
    // Closing a connection rolls back as well.
    if (this.#spoilt.has(client)) return;
    try {
      await this.send(client, "ROLLBACK");
    } catch (error) {
      this.#spoilt.set(client, error as Error);
    }
  }
}

const heard = new WeakSet<PostgresPool>();

/** An idle client that loses its connection must not end the process; the next statement gets another client. */
function survive(pool: PostgresPool): void {
  if (heard.has(pool)) return;
  heard.add(pool);
  pool.on("error", () => undefined);
}
