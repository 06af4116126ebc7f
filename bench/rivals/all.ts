import { octokit } from "./octokit.ts";
import type { Rival } from "./rival.ts";
import { shopifyApiPackage } from "./shopify.ts";
import { standardWebhooks } from "./standard-webhooks.ts";
import { stripeSdk } from "./stripe.ts";
import { svix } from "./svix.ts";
import { tern } from "./tern.ts";

export const RIVALS: readonly Rival[] = [stripeSdk, octokit, standardWebhooks, svix, tern, shopifyApiPackage];
