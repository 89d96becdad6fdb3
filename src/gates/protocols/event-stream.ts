import type { StreamEvent } from "./protocol.ts";

/** When parts of an answer were there: so many bytes of it, milliseconds after the request. */
export interface Arrival {
  readonly bytes: number;
  readonly atMs: number;
}

/** Whether an answer is a stream of server-sent events. Pure. */
export function isEventStream(body: string): boolean {
  return /^\s*(?:data|event|id|retry)?:/.test(body);
}

/** Its events, as https://html.spec.whatwg.org/multipage/server-sent-events.html has them. One that is not ended by an empty line counts. Pure. */
export function eventsOf(body: string, arrivals: readonly Arrival[]): readonly StreamEvent[] {
  const events: StreamEvent[] = [];
  let data: string[] = [];
  let bytes = 0;
  let arrival = 0;
  const end = () => {
    if (data.length === 0) return;
    while (arrival < arrivals.length - 1 && (arrivals[arrival]?.bytes ?? 0) < bytes) arrival++;
    events.push({ data: data.join("\n"), atMs: arrivals[arrival]?.atMs });
    data = [];
  };
  for (const line of body.split(/\n/)) {
    const text = line.replace(/\r$/, "");
    if (text === "") end();
    // U+2028, which models write, ends no line here, though it does for a dot of an expression.
    if (text === "data") data.push("");
    if (text.startsWith("data:")) data.push(text.slice(text.startsWith("data: ") ? 6 : 5));
    bytes += Buffer.byteLength(line) + 1;
  }
  end();
  return events;
}
