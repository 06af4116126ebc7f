/** The path of a request target in origin form (`/path?query`) or absolute form (RFC 9112, section 3.2). */
export function pathOf(url: string): string {
  // What nearly all are: the whole of it a path.
  if (url.startsWith("/") && !url.includes("?") && !url.includes("#")) return url;
  const path = /^(?:[a-z][a-z0-9+.-]*:\/\/[^/?#]*)?([^?#]*)/i.exec(url)?.[1] ?? "";
  return path === "" ? "/" : path;
}
