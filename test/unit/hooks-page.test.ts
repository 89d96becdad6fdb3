import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { runHook } from "../../src/calls/ask.ts";
import { callIo, reach, subject } from "../../src/calls/calls.fixture.ts";
import { payloadOf } from "../../src/calls/payload.ts";
import type { Hook } from "../../src/core/calls.ts";
import { genericBody } from "../../src/notifications/message.ts";

const docs = join(import.meta.dirname, "..", "..", "docs");

async function blockOf(page: string, language: string, word: string): Promise<string> {
  const text = await readFile(join(docs, page), "utf8");
  const blocks = [...text.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, "gm"))];
  const found = blocks.map((match) => match[1] ?? "").find((block) => block.includes(word));
  if (found === undefined) throw new Error(`${page} has no ${language} block with ${word}.`);
  return found;
}

/** Every key, level by level. */
function keysOf(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return "value";
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, keysOf(child)]));
}

test("the payloads on the pages have the keys that real ones have", async () => {
  const hook: unknown = JSON.parse(await blockOf("hooks.md", "json", "schemaVersion"));
  expect(keysOf(hook)).toEqual(
    keysOf(payloadOf({ ...subject, reach }, { type: "hook", name: "x", when: "before" }, 0)),
  );
  const notice: unknown = JSON.parse(await blockOf("notifications.md", "json", "schemaVersion"));
  const { body } = genericBody({ kind: "failed", subject, reason: "x" }, 0);
  expect(keysOf(notice)).toEqual(keysOf(JSON.parse(body)));
});

test("the receiver on the page takes what is genuine, refuses the rest, and knows what it has seen", async () => {
  const folder = await mkdtemp(join(tmpdir(), "modelswitch-receiver-"));
  const program = (await blockOf("hooks.md", "ts", "createServer")).replace(
    ".listen(8080)",
    '.listen(0, "127.0.0.1", function (this: import("node:net").Server) { console.log(JSON.stringify(this.address())); })',
  );
  await writeFile(join(folder, "receiver.mts"), program);
  const secret = `whsec_${Buffer.from("a key that is long enough").toString("base64")}`;
  const child = spawn(process.execPath, [join(folder, "receiver.mts")], {
    env: { CATALOGUE_KEY: secret },
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const first: unknown = (await lines.next()).value;
    const { port } = JSON.parse(String(first)) as { port: number };
    const hookWith = (secretEnv: string | undefined): Hook => ({
      name: "catalogue",
      when: "after",
      phase: "cut-over",
      onFailure: "abort",
      call: {
        kind: "webhook",
        url: `http://127.0.0.1:${port}/`,
        secretEnv,
        timeoutMs: 20_000,
        retries: 0,
      },
    });
    const io = callIo({
      env: { KEY: secret, OTHER: Buffer.from("another key, also long enough").toString("base64") },
    });
    const never = new AbortController().signal;
    const verdictWith = async (name: string | undefined) =>
      (await runHook(io, hookWith(name), subject, never)).verdict;
    expect(await verdictWith("OTHER")).toBe("fail");
    expect(await verdictWith(undefined)).toBe("fail");
    expect(await verdictWith("KEY")).toBe("pass");
    // The same once more, as after a kill: it is taken, and not acted on again.
    expect(await verdictWith("KEY")).toBe("pass");
    child.kill();
    let acted = 0;
    for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
      if (line.value.includes("schemaVersion")) acted += 1;
    }
    expect(acted).toBe(1);
  } finally {
    child.kill();
    await rm(folder, { recursive: true });
  }
});
