import { type Slot, slots } from "../src/core/slots.ts";
import { escapeText, latencyChart, trafficChart } from "./page-charts.ts";
import { pageStyle } from "./page-style.ts";
import type { DemoReport, SwitchReport } from "./report.ts";

const integers = new Intl.NumberFormat("en-GB");

export function milliseconds(value: number): string {
  return value < 10 ? value.toFixed(1) : value < 100 ? value.toFixed(0) : integers.format(Math.round(value));
}

export function seconds(value: number): string {
  return (value / 1000).toFixed(2);
}

/** The report as one HTML file that needs nothing else: no script, no font, no network. */
export function reportPage(report: DemoReport): string {
  const { load } = report;
  const passed = load.failed === 0;
  const versions = slots.map((slot) => `${slot} = ${report.slots[slot].about}`).join(", ");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>modelswitch demo: ${integers.format(load.failed)} failed of ${integers.format(load.requests)} requests</title>
<style>${pageStyle}</style>
</head>
<body>
<main>
<header>
<p class="brand">modelswitch <span>demo report</span></p>
<h1 class="${passed ? "passed" : "failed"}">${integers.format(load.failed)} failed <small>of ${integers.format(load.requests)} requests in ${report.switches.length} switches</small></h1>
<p class="about">${escapeText(report.title)} (${escapeText(versions)}), Kubernetes ${escapeText(report.kubernetesVersion)}, ${escapeText(report.createdAt.replace("T", " ").slice(0, 16))} UTC</p>
</header>
${tiles(report)}
<section>
<h2>Which version answered when</h2>
<p class="legend">${slots.map((slot) => `<span class="key ${slot}"></span>${slot}, version ${escapeText(report.slots[slot].version)}`).join("")}<span class="key band"></span>switch command running</p>
${trafficChart(report)}
${latencyChart(report)}
</section>
<section>
<h2>Switches</h2>
${switchTable(report)}
</section>
<section>
<h2>Latency, milliseconds</h2>
${latencyTable(report)}
</section>
${failures(report)}
${measured(report)}
</main>
</body>
</html>
`;
}

function tiles(report: DemoReport): string {
  const { load, switches } = report;
  const slowest = Math.max(0, ...switches.map(({ totalMs }) => totalMs));
  const overlap = Math.max(0, ...switches.map(({ overlapMs }) => overlapMs ?? 0));
  const tile = (value: string, name: string) =>
    `<div><strong>${value}</strong><span>${escapeText(name)}</span></div>`;
  return `<section class="tiles">${[
    tile(`${integers.format(load.ratePerSecond)}<i>/s</i>`, "requests, constant rate, open loop"),
    tile(`${integers.format(load.freshConnections)}`, "requests on new connections"),
    tile(`${milliseconds(load.latency.p50)}<i> ms</i>`, "median latency"),
    tile(`${milliseconds(load.latency.p99)}<i> ms</i>`, "99 % answered within"),
    tile(`${seconds(slowest)}<i> s</i>`, "slowest switch, proof included"),
    tile(
      `${overlap === 0 ? `&lt; ${report.load.timeline.bucketMs}` : integers.format(overlap)}<i> ms</i>`,
      "both versions answering, at most",
    ),
  ].join("")}</section>`;
}

function switchTable(report: DemoReport): string {
  const longest = Math.max(1, ...report.switches.map(({ totalMs }) => totalMs));
  const bar = (one: SwitchReport) =>
    (
      [
        ["ready", one.readyMs],
        ["identity", one.identityMs],
        ["write", one.writeMs],
        ["proof", one.proofMs],
      ] as const
    )
      .map(
        ([name, ms]) =>
          `<b class="${name}" style="width:${((ms / longest) * 100).toFixed(2)}%" title="${name}: ${seconds(ms)} s"></b>`,
      )
      .join("");
  const rows = report.switches.map(
    (
      one,
    ) => `<tr><td><span class="slot ${one.from}">${one.from}</span> → <span class="slot ${one.to}">${one.to}</span></td>
<td class="number">${seconds(one.readyMs)}</td><td class="number">${seconds(one.identityMs)}</td><td class="number">${seconds(one.writeMs)}</td><td class="number">${seconds(one.proofMs)}</td>
<td class="number"><strong>${seconds(one.totalMs)}</strong></td><td class="number">${integers.format(one.probes)}</td><td class="bars">${bar(one)}</td></tr>`,
  );
  return `<div class="scroll"><table>
<thead><tr><th>traffic</th><th class="number"><span class="key ready"></span>ready, s</th><th class="number"><span class="key identity"></span>identity, s</th><th class="number"><span class="key write"></span>writes, s</th><th class="number"><span class="key proof"></span>proofs, s</th><th class="number">all, s</th><th class="number">probes</th><th></th></tr></thead>
<tbody>${rows.join("")}</tbody></table></div>
<p class="note">Ready: all replicas of the slot are ready endpoints. Identity: how each slot answers is learnt from its pods. Writes: the routing objects through Pulumi, one at a time. Proofs: fresh connections through the ingress, until all show the routing declared.</p>
${report.switches.map((one, index) => stepList(one, index)).join("")}`;
}

function stepList(one: SwitchReport, index: number): string {
  if (one.steps.length === 0) return "";
  const items = one.steps.map(
    (step) =>
      `<li><span>${seconds(step.fromMs - one.startedAtMs)} s</span> ${escapeText(step.title)}${step.detail === undefined ? "" : ` <em>${escapeText(step.detail)}</em>`} <span>${seconds(step.toMs - step.fromMs)} s</span></li>`,
  );
  return `<details><summary>Switch ${index + 1}, to ${one.to}: its ${one.steps.length} steps</summary><ol>${items.join("")}</ol></details>`;
}

function latencyTable(report: DemoReport): string {
  const row = (name: string, latency: DemoReport["load"]["latency"]) =>
    `<tr><td>${name}</td>${[latency.count].map((count) => `<td class="number">${integers.format(count)}</td>`).join("")}${[latency.p50, latency.p95, latency.p99, latency.maximum].map((value) => `<td class="number">${milliseconds(value)}</td>`).join("")}</tr>`;
  const bySlot = slots.flatMap((slot: Slot) => {
    const version = report.load.versions[report.slots[slot].version];
    if (version === undefined) return [];
    const name = `<span class="slot ${slot}">${slot}</span> ${escapeText(report.slots[slot].about)}`;
    return [row(name, version.latency)];
  });
  return `<div class="scroll"><table><thead><tr><th>slot</th><th class="number">answers</th><th class="number">50 %</th><th class="number">95 %</th><th class="number">99 %</th><th class="number">longest</th></tr></thead>
<tbody>${bySlot.join("")}${row("both", report.load.latency)}</tbody></table></div>`;
}

function failures(report: DemoReport): string {
  if (report.load.failed === 0) return "";
  const kinds = Object.entries(report.load.failuresByKind).map(([kind, count]) => `${kind}: ${count}`);
  const rows = report.load.failures.map(
    (failure) =>
      `<tr><td class="number">${seconds(failure.failedAtMs)}</td><td>${failure.kind}</td><td>${failure.freshConnection ? "new" : "kept"}</td><td>${escapeText(failure.reason)}</td></tr>`,
  );
  return `<section><h2>Failures</h2><p>${escapeText(kinds.join(", "))}. The first ${rows.length}:</p>
<div class="scroll"><table><thead><tr><th class="number">at, s</th><th>kind</th><th>connection</th><th>reason</th></tr></thead><tbody>${rows.join("")}</tbody></table></div></section>`;
}

function measured(report: DemoReport): string {
  const { load, calibration, machine } = report;
  const burst =
    calibration.throughput === undefined
      ? "The rate was given on the command line."
      : `The rate is a share of the ${Math.round(calibration.throughput)} answers per second that a short burst got through this machine (${machine.processors} processors, shared with Kubernetes, the ingress controller, all pods and Pulumi).`;
  return `<section><h2>How it was measured</h2>
<ul>
<li>${escapeText(burst)}</li>
<li>Open loop: requests start at their time whatever became of earlier ones, and latency counts from that time, so a stall is seen by all who had to wait. The generator itself was at most ${milliseconds(load.sendDelay.maximum)} ms late (99 %: ${milliseconds(load.sendDelay.p99)} ms).</li>
<li>A request fails when its connection breaks, no whole answer comes within 30 s, the status is not 2xx, or the answer is no complete Open Inference answer of version ${slots.map((slot) => escapeText(report.slots[slot].version)).join(" or ")}.</li>
<li>Requests went to ${escapeText(report.ingressUrl)}${escapeText(report.path)} with the host ${escapeText(report.host)}; one in ten on a connection of its own, the others on kept connections. ${integers.format(load.unfinished)} were cancelled at the end.</li>
<li>Each slot ran ${report.slots.blue.replicas} replicas. The switches were made by the command line, <code>modelswitch switch</code>.</li>
</ul></section>`;
}
