import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runMain } from "../../../test/unit/run-main.ts";

let folder: string;
let servers: Server[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "modelswitch-compare-"));
  servers = [];
});
afterEach(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  rmSync(folder, { recursive: true, force: true });
});

interface Input {
  readonly amount: number;
}

/** A model that answers so, and whoever asks without the token not at all. */
async function model(
  answer: (input: Input) => { readonly status?: number; readonly body: unknown },
  seen: (string | undefined)[] = [],
): Promise<string> {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on("end", () => {
      seen.push(request.headers.authorization);
      const said = answer(JSON.parse(body) as Input);
      response.writeHead(said.status ?? 200, { "content-type": "application/json" });
      response.end(JSON.stringify(said.body));
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const label = ({ amount }: Input) => ({ body: { label: amount > 50 ? "fraud" : "fine" } });
const writeInputs = (count: number) =>
  writeFileSync(
    join(folder, "inputs.jsonl"),
    Array.from({ length: count }, (_, index) => `{"amount":${index % 100}}\n`).join(""),
  );
const compare = (live: string, fresh: string, ...more: string[]) =>
  runMain(
    ["compare", "--live", live, "--new", fresh, "--cases", "inputs.jsonl", "--path", "/predict"].concat(
      ["--pace", "500", "--json", "-C", folder],
      more,
    ),
    { env: { HOME: folder, TOKEN: "Bearer s3cr3t-token" } },
  );
const resultOf = (stdout: string) => {
  const lines = stdout.trim().split("\n");
  return JSON.parse(lines.at(-1) ?? "{}") as Record<string, unknown>;
};

describe("compare, of two addresses", () => {
  test("says that they are alike, with what was compared", async () => {
    writeInputs(250);
    const seen: (string | undefined)[] = [];
    const found = await compare(
      await model(label, seen),
      await model(label),
      "--header",
      "Authorization=TOKEN",
    );
    expect(found.exitCode, found.stdout + found.stderr).toBe(0);
    expect(resultOf(found.stdout)).toMatchObject({ verdict: "pass", evidenceData: { differing: 0 } });
    expect(new Set(seen)).toEqual(new Set(["Bearer s3cr3t-token"]));
    expect(found.stdout).not.toContain("s3cr3t");
  });

  test("says that they are not, with the pairs side by side", async () => {
    writeInputs(250);
    const permuted = ({ amount }: Input) => label({ amount: 100 - amount });
    const found = await compare(await model(label), await model(permuted), "--answer", "label");
    expect(found.exitCode, found.stdout + found.stderr).toBe(3);
    expect(resultOf(found.stdout)).toMatchObject({ verdict: "fail" });
    expect(JSON.stringify(resultOf(found.stdout).evidenceData)).toContain('"live":"\\"fraud\\""');
  });

  test("cannot tell where one of them is not there", async () => {
    writeInputs(10);
    const found = await compare(await model(label), "http://127.0.0.1:9");
    expect(found.exitCode).toBe(5);
    expect(resultOf(found.stdout)).toMatchObject({
      verdict: "inconclusive",
      evidence: expect.stringContaining("ECONNREFUSED"),
    });
  });

  test.each([
    [["--compare", "alike"], /option --compare is "alike", but takes exact, label/],
    [["--tolerated", "2"], /option --tolerated is "2"/],
    [["--header", "Authorization=NOBODY"], /environment variable NOBODY, which is not set/],
    [["--mask", "customer"], /begins with neither "input" nor "answer"/],
    [["--deadline", "soon"], /option --deadline is "soon"/],
  ])("%j is refused", async (more, message) => {
    writeInputs(1);
    const found = await compare("http://127.0.0.1:9", "http://127.0.0.1:9", ...more);
    expect(found.exitCode).toBe(2);
    expect((found.stdout + found.stderr).replaceAll('\\"', '"')).toMatch(message);
  });

  test("a password in an address is refused, and shown nowhere", async () => {
    writeInputs(1);
    const found = await compare("http://me:s3cr3t@127.0.0.1:9", "http://127.0.0.1:9");
    expect(found.exitCode).toBe(2);
    expect(found.stdout + found.stderr).toContain("has a password for 127.0.0.1:9 in it");
    expect(found.stdout + found.stderr).not.toContain("s3cr3t");
  });

  test("a mask that hides nothing is refused before anybody is asked", async () => {
    writeInputs(3);
    const found = await compare("http://127.0.0.1:9", "http://127.0.0.1:9", "--mask", "input.amont");
    expect(found.exitCode).toBe(2);
    expect(found.stdout).toContain("mask-unmatched");
  });

  test("a case that is none is told with its line, before anybody is asked", async () => {
    writeFileSync(join(folder, "inputs.jsonl"), '{"amount":1}\n{"amount":\n');
    const found = await compare("http://127.0.0.1:9", "http://127.0.0.1:9");
    expect(found.exitCode).toBe(2);
    expect(found.stdout).toContain("inputs.jsonl:2: is no JSON");
  });
});
