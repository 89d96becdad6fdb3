import { reportedVerdict } from "../record/estimates.ts";
import type { ReportedVerdict, RolloutReport } from "../record/rollout-report.ts";
import { type GateLooked, type RecordedVerdict, withLook } from "../record/verdicts.ts";

/** What a model may answer to whoever asks it. */
export const hostile = [
  `</pre></td><script>alert(1)</script><img src=x onerror=alert(1)>`,
  `"><svg onload=alert(1)>' onmouseover='x`,
  "| a | b |\n| - | - |\n# heading\n![x](https://evil.example/track.png) [y](javascript:alert(1)) `tick` ``two``",
  "\u001b[2J\u001b]0;title\u0007 turned \u202e round, half \ud800, \\| \\\\| &amp; &#60;script&#62;",
] as const;

const at = (second: number) => new Date(Date.parse("2026-11-23T08:00:00Z") + second * 1000).toISOString();

const counted = (second: number) => {
  const inAll = {
    newEvents: Math.floor(second / 20),
    newRequests: second * 5,
    liveEvents: Math.floor(second / 10),
    liveRequests: second * 95,
  };
  return {
    controller: "Traefik (provider kubernetesIngressNGINX)",
    alpha: 0.05,
    metrics: [
      { name: "errors", lnFail: second / 100 - 1, lnPass: 0.2, alpha: 0.025, inAll, inStep: inAll },
      { name: "latency", lnFail: -0.4, lnPass: 0.2, alpha: 0.025, inAll, inStep: inAll },
    ],
  };
};

/** One of each that a report draws, some of it hostile. */
export function exampleVerdicts(): readonly ReportedVerdict[] {
  const base = { phase: "shift", step: 1, weight: 5 } as const;
  const looks: GateLooked[] = [
    ...Array.from({ length: 12 }, (_, index): GateLooked => {
      const second = (index + 1) * 10;
      return {
        ...base,
        gate: "clients",
        verdict: "hold",
        evidence: "not shown yet",
        at: at(second),
        data: counted(second),
      };
    }),
    {
      gate: "answers",
      phase: "verify",
      step: null,
      weight: 0,
      at: at(3),
      verdict: "fail",
      evidence: `case 7 of cases.jsonl: ${hostile[0]} ${hostile[2]}`,
      data: {
        file: "cases.jsonl",
        cases: 100,
        misses: hostile.map((why, index) => ({ id: String(index), why })),
        labels: [
          { bin: hostile[1], new: 40, live: 10 },
          { bin: "dog", new: 60, live: 90 },
        ],
        [hostile[1]]: hostile[0],
      },
    },
    {
      gate: hostile[0],
      phase: "soak",
      step: null,
      weight: 100,
      at: at(200),
      verdict: "inconclusive",
      isLetPass: true,
      evidence: hostile[3],
    },
  ];
  return looks.reduce<readonly RecordedVerdict[]>((all, one) => withLook(all, one), []).map(reportedVerdict);
}

/** The same report with what gates said, and with hostile texts wherever others write. */
export function hostileReport(report: RolloutReport): RolloutReport {
  return {
    ...report,
    by: hostile[0],
    reason: hostile[2],
    changes: [...hostile],
    skipped: [hostile[1]],
    journal: hostile.map((text, index) => ({
      at: at(index),
      kind: "gate",
      text,
      result: "fail",
      evidence: text,
    })),
    verdicts: exampleVerdicts(),
  };
}
