/** The path of a request target in origin form (`/path?query`) or absolute form (RFC 9112, section 3.2). */
export function pathOf(url: string): string {
  const target = url.startsWith("/") ? url : url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "");
  const end = target.search(/[?#]/);
  const path = end < 0 ? target : target.slice(0, end);
  return path === "" ? "/" : path;
}
