import type { Endpoint } from "../receiver/endpoint.ts";
import { report } from "./report.ts";

/**
 * Says at once what would otherwise show with the first delivery: settings that are missing or contradict each other, and
 * an inbox that cannot be opened.
 *
 * In the next macrotask, because handlers are often made before `configure` is called. It must not end the process:
 * the same app may serve much more than webhooks.
 */
export function checkAfterBoot(endpoint: Endpoint): void {
  const check = async (): Promise<void> => {
    try {
      endpoint.assertReady();
      await endpoint.open?.();
    } catch (error) {
      const { code, message } = error as { code?: unknown; message?: unknown };
      report(endpoint.logger, String(message ?? error), { code });
    }
  };
  if (typeof setImmediate === "function") setImmediate(() => void check());
  else setTimeout(() => void check(), 0);
}
