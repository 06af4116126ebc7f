import { octokit } from "./octokit.ts";
import type { Rival } from "./rival.ts";
import { shopifyApiPackage } from "./shopify.ts";
import { standardWebhooks } from "./standard-webhooks.ts";
import { stripeSdk } from "./stripe.ts";
import { svix } from "./svix.ts";
import { tern } from "./tern.ts";

/** Set up for an endpoint that has these secrets. */
export function rivals(secrets: readonly string[]): readonly Rival[] {
  return [stripeSdk, octokit, standardWebhooks, svix, tern, shopifyApiPackage].map((rival) => rival(secrets));
}
