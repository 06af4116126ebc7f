type Fields = Readonly<Record<string, unknown>>;

/** What an event is about, by the field that holds its SID, and the field that says what became of it. */
const RESOURCES: readonly (readonly [sid: string, name: string, status: readonly string[]])[] = [
  ["RecordingSid", "recording", ["RecordingStatus"]],
  ["TranscriptionSid", "transcription", ["TranscriptionStatus", "TranscriptionEvent"]],
  ["ConferenceSid", "conference", ["StatusCallbackEvent"]],
  ["RoomSid", "room", ["StatusCallbackEvent"]],
  ["MessageSid", "message", ["MessageStatus", "SmsStatus"]],
  ["SmsSid", "message", ["MessageStatus", "SmsStatus"]],
  ["CallSid", "call", ["CallStatus"]],
];

/** What a form tells of, and what became of it: `message.delivered`. */
export function typeOf(event: Fields): string {
  const { EventType: type } = event;
  if (typeof type === "string" && /^\w[\w-]*(?:\.[\w-]+)*$/.test(type)) return type;
  const [, name, status] = resourceOf(event) ?? [];
  if (name === undefined) return "webhook";
  return status === undefined ? name : `${name}.${status}`;
}

/** The SID of what a form tells of, with what became of it. */
export function idOf(event: Fields): string | undefined {
  const [sid, , status] = resourceOf(event) ?? [];
  return sid && status ? `${sid}:${status}` : sid;
}

function resourceOf(event: Fields): readonly [sid: string, name: string, status: string | undefined] | undefined {
  for (const [field, name, statuses] of RESOURCES) {
    const sid = event[field];
    if (typeof sid !== "string" || !/^[A-Za-z0-9]{1,64}$/.test(sid)) continue;
    const status = statuses.map((each) => event[each]).find((each) => typeof each === "string" && each !== "");
    return [sid, name, (status as string | undefined)?.replaceAll(/[^\w-]/g, "_").slice(0, 64)];
  }
  return undefined;
}
