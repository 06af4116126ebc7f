import type { Server } from "node:http";
import fastify from "fastify";
import { constructed, handled } from "./stripe-sdk.ts";

export { handled };

export async function server(): Promise<Server> {
  const app = fastify();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  app.post("/stripe", (request, reply) => {
    if (constructed(request.body as Buffer, request.headers["stripe-signature"])) reply.send({ received: true });
    else reply.code(400).send();
  });
  await app.ready();
  return app.server;
}
