import { existsSync, readFileSync } from "node:fs";

/** The providers that the package exports, by their entry points' names. */
export function exportedProviders(): string[] {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const entries = Object.keys((JSON.parse(manifest) as { exports: object }).exports).map((path) => path.slice(2));
  const isProvider = (name: string): boolean =>
    name !== "define-provider" && existsSync(new URL(`../../src/providers/${name}.ts`, import.meta.url));
  return entries.filter(isProvider).sort();
}
