import type { Command } from "../command.ts";

export const doctor: Command = {
  name: "doctor",
  summary: "Check the prerequisites: tools, cluster, permissions, ingress, configuration, DNS",
  description: "Changes nothing. Exit code 0 when no check failed (warnings are fine), else 1.",
  options: [
    {
      name: "local-cluster",
      summary: "check the prerequisites of `modelswitch cluster up` even if a cluster is reached",
    },
  ],
  examples: ["modelswitch doctor", "modelswitch doctor --context production", "modelswitch doctor --json"],
  output: "query",
  ifInterrupted: "Nothing was changed.",
  async run(input, context) {
    const [{ runChecks }, { realWorld }, { checkLines }] = await Promise.all([
      import("../doctor/run-checks.ts"),
      import("../doctor/world.ts"),
      import("../doctor/text.ts"),
    ]);
    const titles = { type: "step", id: "doctor", title: "Checking the prerequisites" } as const;
    context.events({ ...titles, state: "started" });
    let over = 0;
    const checks = await runChecks(realWorld(context), {
      signal: context.signal,
      localCluster: input.options["local-cluster"] === true,
      onCheck: ({ title }) => {
        over += 1;
        context.events({ ...titles, state: "progress", detail: `${over} checks done, last: ${title}` });
      },
    });
    const count = (state: string) => checks.filter((check) => check.state === state).length;
    const counts = {
      ok: count("ok"),
      warning: count("warning"),
      failed: count("failed"),
      skipped: count("skipped"),
    };
    context.events({
      ...titles,
      state: "done",
      detail: `${counts.failed} failed, ${counts.warning} warnings`,
    });
    return {
      exitCode: counts.failed === 0 ? 0 : 1,
      data: { checks, counts },
      text: checkLines(checks),
    };
  },
};
