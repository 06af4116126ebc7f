// Compiled, never run: events whose types are patterns, or come in many fields.
import type { DiscordEventMap, DiscordInteraction } from "../../src/discord.ts";
import type { HubSpotEventMap } from "../../src/hubspot.ts";
import type { EventFor } from "../../src/index.ts";
import type { LinearEvent, LinearEventMap } from "../../src/linear.ts";
import { SendGridEvent } from "../../src/sendgrid.ts";
import { type SlackCommand, SlackEvent, type SlackEventCallback, type SlackInteraction } from "../../src/slack.ts";
import type { SquareEventMap } from "../../src/square.ts";
import { type TwilioCallEvent, type TwilioCloudEvent, TwilioEvent, type TwilioMessageEvent } from "../../src/twilio.ts";
import type { ZoomEventMap } from "../../src/zoom.ts";
import { assert, type Equals } from "./equals.ts";

SlackEvent.subscribe("message", (event) => assert<Equals<typeof event, SlackEventCallback>>());
SlackEvent.subscribe("block_actions", (event) => assert<Equals<typeof event, SlackInteraction>>());
SlackEvent.subscribe("command.", (event) => assert<Equals<typeof event, SlackCommand>>());
SlackEvent.subscribe("command.deploy", (event) => assert<Equals<typeof event.command, unknown>>());

TwilioEvent.subscribe("message.", (event) => assert<Equals<typeof event, TwilioMessageEvent>>());
TwilioEvent.subscribe("call.completed", (event) => assert<Equals<typeof event, TwilioCallEvent>>());
TwilioEvent.subscribe("com.twilio.", (event) => assert<Equals<typeof event, TwilioCloudEvent>>());

SendGridEvent.subscribe("bounce", (event) => {
  assert<Equals<typeof event.event, "bounce">>();
  assert<Equals<typeof event.reason, string | undefined>>();
});

assert<Equals<DiscordEventMap["interaction.modal_submit"], DiscordInteraction>>();
assert<Equals<LinearEventMap["Issue.create"], LinearEvent<"Issue", "create">>>();
assert<Equals<EventFor<LinearEventMap, never, "Issue.">["type"], "Issue">>();
assert<Equals<HubSpotEventMap["contact.creation"]["subscriptionType"], "contact.creation">>();
assert<Equals<SquareEventMap["payment.updated"]["type"], "payment.updated">>();
assert<Equals<ZoomEventMap["meeting.started"]["event"], "meeting.started">>();
