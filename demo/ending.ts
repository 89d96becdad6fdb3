import { relative } from "node:path";
import type { Colors } from "../src/cli/output/colors.ts";
import { formatTable } from "../src/cli/output/format.ts";
import { slots } from "../src/core/slots.ts";
import { milliseconds, seconds } from "./page.ts";
import type { DemoReport } from "./report.ts";
import type { DemoResult, Reached } from "./run.ts";
import { terminalChart } from "./terminal-chart.ts";

/** What the demo says at its end. */
export function summary(report: DemoReport, colors: Colors, width: number): string[] {
  const { load } = report;
  const verdict = `${load.failed} failed`;
  const latency = [
    ["latency, ms", "answers", "50 %", "95 %", "99 %", "longest"],
    ...slots.map((slot) => {
      const found = load.versions[report.slots[slot].version]?.latency;
      return [
        `${slot}, ${report.slots[slot].about}`,
        String(found?.count ?? 0),
        ...(["p50", "p95", "p99", "maximum"] as const).map((name) => milliseconds(found?.[name] ?? 0)),
      ];
    }),
  ];
  const switches = [
    ["switch", "all, s", "ready", "identity", "writes", "proofs", "both answered"],
    ...report.switches.map((one) => [
      `${one.from} → ${one.to}`,
      seconds(one.totalMs),
      seconds(one.readyMs),
      seconds(one.identityMs),
      seconds(one.writeMs),
      seconds(one.proofMs),
      one.overlapMs === undefined
        ? "?"
        : one.overlapMs === 0
          ? `< ${load.timeline.bucketMs} ms`
          : `${one.overlapMs} ms`,
    ]),
  ];
  const failures = load.failures
    .slice(0, 5)
    .map((failure) => `  ${seconds(failure.failedAtMs)} s  ${failure.kind}: ${failure.reason}`);
  return [
    "",
    ...terminalChart(report, colors, width),
    "",
    ...headed(latency, colors),
    "",
    ...headed(switches, colors),
    "",
    `${load.requests} requests at ${load.ratePerSecond}/s, ${report.switches.length} switches: ${colors.bold(load.failed === 0 ? colors.green(verdict) : colors.red(verdict))}`,
    ...failures,
  ];
}

function headed(rows: readonly (readonly string[])[], colors: Colors): string[] {
  const [head = "", ...rest] = formatTable(rows);
  return [colors.dim(head), ...rest];
}

/** What to try, and how to take everything away again. */
export function nextSteps(result: DemoResult, root: string, cacheFolder: string, colors: Colors): string[] {
  const { project, cluster, flavour } = result;
  const here = (path: string) => relative(root, path) || ".";
  const option = `-C ${here(project.folder)}`;
  return [
    "",
    colors.bold("The model stays up. Try next"),
    `  npx modelswitch status ${option}`,
    `  npx modelswitch switch blue ${option}`,
    `  curl -H 'Host: ${flavour.host}' ${cluster.ingressUrl}/v2/models/${flavour.model}`,
    `  curl -H 'Host: ${flavour.host}' -H 'Content-Type: application/json' ${cluster.ingressUrl}${flavour.inferPath} -d @${here(project.requestPath)}`,
    `  npx modelswitch cluster kubectl --name ${cluster.name} -- get pods,ingress -n demo`,
    "",
    `Report         ${here(project.pagePath)} (open it in a browser), ${here(project.reportPath)}`,
    `Configuration  ${here(project.configPath)}`,
    "",
    colors.bold("Remove everything"),
    `  npx modelswitch cluster down --name ${cluster.name}`,
    `  rm -r ${here(project.folder)}`,
    `  rm -r ${cacheFolder}   # programs and images; built again when needed`,
  ];
}

/** What is left when the demo is stopped, and how to go on. */
export function whatIsLeft(reached: Reached, clusterName: string): string {
  const goOn = "What was downloaded and built is kept; run the demo again to go on from here.";
  if (reached.cluster === undefined) {
    return `${goOn}\nA cluster that was starting: \`npx modelswitch cluster down --name ${clusterName}\` removes it.`;
  }
  const model = reached.modelIsUp
    ? `The model stays up, its traffic on a slot that was proved (\`npx modelswitch status -C ${reached.project?.folder ?? ""}\`).\n`
    : "";
  return `${model}The cluster ${reached.cluster.name} stays up; \`npx modelswitch cluster down --name ${reached.cluster.name}\` removes it.\n${goOn}`;
}
