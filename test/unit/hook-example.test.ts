import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runHook } from "../../src/calls/ask.ts";
import { callIo, reach, subject } from "../../src/calls/calls.fixture.ts";
import type { Hook } from "../../src/core/calls.ts";

let asked: { readonly host: string | undefined; readonly preview: string | undefined }[] = [];
let status = 200;
const ingress = createServer((request, response) => {
  const preview = request.headers["x-modelswitch-preview"];
  asked.push({ host: request.headers.host, preview: preview === undefined ? undefined : String(preview) });
  response.writeHead(status).end('{"outputs":[]}');
});

beforeAll(() => new Promise<void>((resolve) => ingress.listen(0, "127.0.0.1", resolve)));
afterAll(() => new Promise((resolve) => ingress.close(resolve)));

/** The script of the page on hooks. */
async function exampleScript(): Promise<string> {
  const page = await readFile(join(import.meta.dirname, "../../docs/hooks.md"), "utf8");
  const script = /### Asking the release\n[\s\S]*?```sh\n([\s\S]*?)```/.exec(page)?.[1];
  if (script === undefined) throw new Error("The page has no script.");
  return script;
}

async function run(more: object) {
  asked = [];
  const hook: Hook = {
    ...{ name: "ask", when: "after", phase: "verify", onFailure: "abort" },
    call: { kind: "command", run: ["sh", "-c", await exampleScript()], timeoutMs: 20_000, retries: 0 },
  };
  const { port } = ingress.address() as AddressInfo;
  const addresses = [`http://127.0.0.1:${port}`, "http://127.0.0.1:1"];
  const told = { ...subject, reach: { ...reach, addresses, ...more } };
  return await runHook(callIo(), hook, told, new AbortController().signal);
}

test("the script of the page on hooks asks the release by its header at the ingress, whatever the host's name says", async () => {
  status = 200;
  expect(await run({})).toMatchObject({ verdict: "pass", evidence: expect.stringContaining("outputs") });
  expect(asked).toEqual([{ host: "fraud.example.com", preview: "always" }]);
});

test("it fails by what the release answers, and by nothing else", async () => {
  status = 503;
  expect(await run({})).toMatchObject({ verdict: "fail" });
  expect(await run({ addresses: ["http://127.0.0.1:1"] })).toMatchObject({ verdict: "inconclusive" });
});

test("where no header leads to the release, it asks nobody", async () => {
  expect(await run({ preview: undefined })).toMatchObject({ verdict: "inconclusive" });
  expect(asked).toEqual([]);
});
