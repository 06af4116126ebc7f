import { WebhookVerificationService } from "@hookflo/tern";
import { type MakeRival, tryingOneByOne } from "./rival.ts";

export const tern: MakeRival = (secrets) => {
  const configs = secrets.map((secret) => ({ platform: "stripe", secret, toleranceInSeconds: 300 }) as const);
  return {
    name: "@hookflo/tern",
    async: true,
    refusesStale: true,
    take: ({ request: { method, headers }, body }) =>
      tryingOneByOne(configs, async (config) => {
        // It takes nothing but a Request, and reads that to its end.
        const request = new Request("https://hooks.example.com/stripe", {
          method,
          headers,
          body: body as Uint8Array<ArrayBuffer>,
        });
        const result = await WebhookVerificationService.verify(request, config);
        if (!result.isValid) throw new Error(result.error ?? "refused");
        return result.payload;
      }),
  };
};
