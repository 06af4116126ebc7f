import { WebhookVerificationService } from "@hookflo/tern";
import { SECRET } from "../deliveries/delivery.ts";
import type { Rival } from "./rival.ts";

const CONFIG = { platform: "stripe", secret: SECRET, toleranceInSeconds: 300 } as const;

export const tern: Rival = {
  name: "@hookflo/tern",
  async: true,
  refusesStale: true,
  async take({ request: { method, headers }, body }) {
    // It takes nothing but a Request.
    const request = new Request("https://hooks.example.com/stripe", {
      method,
      headers,
      body: body as Uint8Array<ArrayBuffer>,
    });
    const result = await WebhookVerificationService.verify(request, CONFIG);
    if (!result.isValid) throw new Error(result.error ?? "refused");
    return result.payload;
  },
};
