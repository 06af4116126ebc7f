import { MissingPeerError } from "./errors.ts";

/**
 * Imports an optional peer package on first use. `load` holds the literal `import()`, which bundlers can see.
 *
 * Throws `MissingPeerError` where that very package is not installed; any other failure, such as a dependency of it
 * that is missing, comes out as it is.
 */
export async function importPeer<Module>(peer: string, need: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    if (isMissing(error, peer)) throw new MissingPeerError(peer, need, { cause: error });
    throw error;
  }
}

function isMissing(error: unknown, peer: string): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    error.code === "ERR_MODULE_NOT_FOUND" &&
    error.message.includes(`'${peer}'`)
  );
}
