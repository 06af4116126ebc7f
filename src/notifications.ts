import { Notifications } from "./bus/notifications.ts";

/** What the ready-made buses publish on: one place to listen across providers. */
export const notifications: Notifications = new Notifications();
