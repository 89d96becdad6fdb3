import { subscribe } from "node:diagnostics_channel";

/**
 * Loaded into a command (`node --import`) by the tests that kill it at named points. A point is the id of a step and its state,
 * as the command's own events name it (`started:write-shift`), or a resource and its status (`done:Service/fraud-blue`). The product knows nothing of it, and the signal comes before the
 * next instruction of the product.
 */
const points = new Set((process.env.MODELSWITCH_TEST_FAULT_POINTS ?? "").split(",").filter(Boolean));
const isCommand = process.argv[1]?.endsWith("modelswitch.js") === true;

if (isCommand && points.size > 0) {
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = ((...args: Parameters<typeof write>): boolean => {
    const written = write(...args);
    for (const point of pointsIn(String(args[0]))) {
      if (points.has(point)) process.kill(process.pid, "SIGKILL");
    }
    return written;
  }) as typeof process.stdout.write;
}

function pointsIn(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    if (!line.startsWith("{")) return [];
    const { type, id, state, kind, name, status } = JSON.parse(line) as Readonly<Record<string, string>>;
    if (type === "resource") return [`${status}:${kind}/${name}`];
    return type === "step" ? [`${state}:${id}`] : [];
  });
}

/** Names of objects: the signal comes when the command is about to write one of them. */
const writes = (process.env.MODELSWITCH_TEST_FAULT_WRITES ?? "").split(",").filter(Boolean);

if (isCommand && writes.length > 0) {
  subscribe("undici:request:create", (message) => {
    const { request } = message as { request: { method: string; path: string; body?: unknown } };
    if (request.method === "GET") return;
    const isMeant = (name: string) =>
      request.path.includes(`/${name}?`) || String(request.body ?? "").includes(`"name":"${name}"`);
    if (writes.some(isMeant)) process.kill(process.pid, "SIGKILL");
  });
}
