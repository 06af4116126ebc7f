import { serveUntilStopped, startChild } from "./child.ts";
import { PULSE_MS } from "./exposure.ts";
import { JournalWriter } from "./journal.ts";
import { subscribe } from "./subscribers.ts";

/* A process that delivers what receivers record. */

const child = await startChild();
const { task, engine, bus } = child;
const journal = new JournalWriter(task.journal);

const pulse = (): void => journal.write({ kind: "pulse", process: task.process, at: Date.now() });
pulse();
setInterval(pulse, PULSE_MS);

subscribe(bus, { task, engine, journal });
bus.inbox?.work(bus, { concurrency: 8, pollMs: 100 });
serveUntilStopped(child, { up: true });
