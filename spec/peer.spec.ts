import { expect } from "chai";
import { MissingPeerError } from "../src/errors.ts";
import { importPeer } from "../src/peer.ts";

const rejection = (load: () => Promise<unknown>, peer = "no-such-peer"): Promise<unknown> =>
  importPeer(peer, "Fetching events", load).then(
    () => expect.fail("it resolved"),
    (error: unknown) => error,
  );
const coded = (code: string, message: string) => Object.assign(new Error(message), { code });

describe("importPeer", () => {
  it("gives the module", async () => {
    const module = await importPeer("node:os", "This", () => import("node:os"));
    expect(module.EOL).to.be.a("string");
  });

  it("names the package that is missing, and how to install it", async () => {
    const name: string = "no-such-peer";
    const error = await rejection(() => import(name));
    expect(error).to.be.instanceOf(MissingPeerError);
    expect((error as MissingPeerError).peer).to.equal("no-such-peer");
    expect((error as MissingPeerError).message).to.equal(
      'Fetching events needs the package "no-such-peer", which is not installed. Run: npm install no-such-peer',
    );
    expect((error as MissingPeerError).cause).to.have.property("code", "ERR_MODULE_NOT_FOUND");
  });

  it("gives other failures as they are", async () => {
    const others = [
      coded("ERR_MODULE_NOT_FOUND", "Cannot find package 'other' imported from /app/no-such-peer/index.js"),
      coded("ERR_OTHER", "Cannot find package 'no-such-peer'"),
      new Error("Cannot find package 'no-such-peer'"),
      { code: "ERR_MODULE_NOT_FOUND", message: "'no-such-peer'" },
    ];
    for (const other of others) expect(await rejection(() => Promise.reject(other))).to.equal(other);
  });
});
