import { createHash } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { noFlags, templateConfig } from "../../../test/support/release-bench.ts";
import { type TestBench, testBench } from "../../../test/support/rollout-bench.ts";
import { release } from "../commands/release.ts";
import { up } from "../commands/up.ts";
import type { RolloutReport } from "../record/rollout-report.ts";
import { distributionDrawing, intervalDrawing, niceCeiling, seriesDrawing } from "./drawings.ts";
import { reportMarkdown } from "./markdown.ts";
import { progressPage, reportPage } from "./page.ts";
import { exampleVerdicts, hostile, hostileReport } from "./verdicts.fixture.ts";

let bench: TestBench;

const answering = templateConfig({
  rollbackWindow: 0,
  steps: "25%:30s",
  gates: [{ name: "answers", request: { path: "/predict", body: { x: 1 }, expect: { status: 200 } } }],
});

async function report(): Promise<RolloutReport> {
  const record = await bench.context(answering).store.read();
  const found = record?.rollouts?.at(-1)?.report;
  if (found === undefined) throw new Error("There is a report.");
  return found;
}

beforeEach(async () => {
  bench = testBench();
  bench.ask = ({ path }) => (path === "/predict" ? { status: 200, body: "{}" } : undefined);
  await up(bench.context(answering), noFlags);
  await release(bench.context(answering), { template: { image: "fraud:2", replicas: 2 } });
});

/** Every element of a page by its name, and their attributes. */
function tags(page: string): { readonly name: string; readonly attributes: string }[] {
  return [...page.matchAll(/<(\/?[a-zA-Z!][^\s/>]*)([^>]*)>/g)].map(([, name = "", attributes = ""]) => ({
    name: name.toLowerCase(),
    attributes,
  }));
}

describe("the report of a release with gates", () => {
  test("has what each gate said in each phase and step, from the record", async () => {
    const { verdicts = [] } = await report();
    const own = verdicts.filter(({ gate }) => gate === "answers");
    expect(own.map(({ phase, step, weight, verdict }) => [phase, step, weight, verdict])).toEqual([
      ["verify", null, 0, "pass"],
      ["shift", 0, 25, "pass"],
      ["soak", null, 100, "pass"],
    ]);
    expect(own[1]?.looks).toBeGreaterThan(1);
    const stored = await bench.context(answering).store.read();
    expect(stored?.rollout).not.toHaveProperty("verdicts");
  });

  test("says it in Markdown and on the page", async () => {
    const found = await report();
    expect(reportMarkdown(found)).toContain("| answers | shift, step 1 (25 %) | pass |");
    expect(reportPage(found)).toContain("<td>shift, step 1 (25 %)</td>");
  });
});

describe("one HTML file", () => {
  test("fetches nothing, runs nothing, and forbids both", async () => {
    const page = reportPage(hostileReport(await report()));
    const style = /<style>([\s\S]*?)<\/style>/.exec(page)?.[1] ?? "";
    const digest = createHash("sha256").update(style).digest("base64");
    expect(page).toContain(`content="default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'`);
    expect(style).not.toMatch(/url\(|@import|</);
    const names = new Set(tags(page).map(({ name }) => name.replace("/", "")));
    const allowed =
      "!doctype html head meta title style body main h1 h2 h3 p br ul li table caption thead tbody tr th td span code pre div figure figcaption svg desc line text circle rect polyline";
    expect([...names].filter((name) => !allowed.split(" ").includes(name))).toEqual([]);
    for (const { attributes } of tags(page)) {
      expect(attributes).not.toMatch(/\s(on\w+|style|src|href|xlink:href|action|srcdoc)\s*=/i);
    }
  });

  test("shows hostile answers as they are, and nothing of them works", async () => {
    const page = reportPage(hostileReport(await report()));
    expect(page).toContain("&#60;script&#62;alert(1)&#60;/script&#62;");
    expect(page).not.toMatch(/<script|onerror=alert\(1\)>/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect(page).not.toMatch(/[\u001b\u0007\u202e]/);
    expect(page).toContain("\\u202e");
    // All that is open is closed, in order.
    const open: string[] = [];
    for (const { name } of tags(page)) {
      if (["!doctype", "meta", "br", "line", "circle", "rect", "polyline"].includes(name)) continue;
      if (name.startsWith("/")) expect(open.pop()).toBe(name.slice(1));
      else open.push(name);
    }
    expect(open).toEqual([]);
  });

  test("draws series, shares and distributions, each with words for who does not see it", async () => {
    const page = reportPage({ ...(await report()), verdicts: exampleVerdicts() });
    const drawings = [...page.matchAll(/<svg[\s\S]*?<\/svg>/g)].map(([one]) => one);
    expect(drawings.length).toBeGreaterThanOrEqual(6);
    for (const one of drawings) {
      expect(one).toMatch(/role="img" aria-labelledby="(\S+)-t \1-d"/);
      expect(one).toMatch(/<title id="[^"]+-t">[^<]+<\/title>\n<desc id="[^"]+-d">[^<]+<\/desc>/);
      expect(one).not.toMatch(/NaN|Infinity|undefined/);
    }
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(page).toContain("prefers-color-scheme: dark");
  });

  test("is there for a rollout in progress, too", async () => {
    bench.afterMove = () => bench.stop.abort();
    await release(bench.context(answering), { template: { image: "fraud:3", replicas: 2 } }).catch(
      () => undefined,
    );
    const entry = (await bench.context(answering).store.read())?.rollout;
    if (entry === undefined) throw new Error("There is one.");
    expect(progressPage("fraud", entry)).toContain("What the gates said");
  });
});

describe("Markdown", () => {
  test("has estimates with bounds, evidence, lines over time and examples", async () => {
    const text = reportMarkdown({ ...(await report()), verdicts: exampleVerdicts() });
    expect(text).toContain("### clients: shift, step 2 (5 %)");
    expect(text).toMatch(
      /\| errors \| new \| 1 % \(\d.* %\) of 600 \| `·*─*●─*·*` \| 1.22 of the 40 that send it back/,
    );
    expect(text).toMatch(/\| Share of errors so far \| new \| `[▁-█]{12}` \|/);
    expect(text).toContain("Examples (misses), 4 of 4:");
  });

  test("lets nothing hostile become HTML, a link, a picture or another cell", async () => {
    const text = reportMarkdown(hostileReport(await report()));
    // What stands between backticks is text.
    const outside = text.replace(/(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g, "");
    expect(outside).not.toMatch(/<[a-z/!]/i);
    expect(outside).not.toMatch(/(^|[^\\])!\[/);
    expect(outside).not.toContain("](");
    const rows = text.split("\n").filter((line) => line.startsWith("|"));
    const columns = (row: string) => row.replace(/\\[\\|]/g, "").split("|").length;
    for (const [index, row] of rows.entries()) {
      if (/^\| -/.test(row)) expect(columns(row)).toBe(columns(rows[index - 1] ?? ""));
    }
    expect(text).not.toContain("\n# heading");
    expect(hostile.length).toBe(4);
  });
});

describe("drawings", () => {
  test("an axis ends at a round number", () => {
    expect([0, 0.0021, 1, 1.2, 7, 5000, Number.NaN].map(niceCeiling)).toEqual([1, 0.005, 1, 2, 10, 5000, 1]);
  });

  test("of nothing, of one point and of equal points have no broken numbers", () => {
    const form = { value: String, place: String };
    const nothing = { share: null, events: 0, requests: 0, low: 0, high: 1 };
    const all = [
      seriesDrawing("a", { name: "x", places: [1, 2], lines: [{ name: "y", values: [null, null] }] }, form),
      seriesDrawing("b", { name: "x", places: [1, 1], lines: [{ name: "y", values: [0, 0] }] }, form),
      seriesDrawing("c", { name: "x", places: [1, 2], lines: [{ name: "y", values: [-3, -1] }] }, form),
      distributionDrawing("d", { name: "x", bins: [{ label: "a", new: 0, live: 0 }] }),
      intervalDrawing("e", [{ name: "errors", new: nothing, live: nothing, against: null }]),
    ];
    for (const one of all) expect(one).not.toMatch(/NaN|Infinity|undefined/);
  });
});
