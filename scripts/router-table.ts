import { routerCapabilities } from "../src/component/routers/capabilities.ts";
import type { RouterCapabilities } from "../src/component/routers/router.ts";
import { type BuiltInRouterName, routerNames } from "../src/core/router-names.ts";

/** What each router can do, as docs/routers/README.md has it: from the table that the types and the messages have, too. */

/** The words of each capability; every one of them has a row. */
const rows: Readonly<Record<keyof RouterCapabilities, string>> = {
  weights: "shares of the traffic (`rollout.steps`)",
  fineShares: "shares of hundredths of a per cent (`0.5%`)",
  commit: "a second write follows once all traffic is moved",
  header: "preview by header (`previewHeader`)",
  testers: "testers by header (`routing.testers.header`)",
  cookie: "testers by cookie (`routing.testers.cookie`)",
  headerRegex: "testers by a pattern of a header",
  sticky: "clients stay where they are (`routing.sticky`)",
  stickyOverridesHeader: "and stay there in spite of the preview header",
  mirror: "copies of requests (`rollout.shadow`)",
  mirrorPercent: "copies of some of them (`percent`)",
  reloadOnSwitch: "the controller reloads when the main backend changes",
  needsUnionService: "needs a Service of both slots",
  timeout: "`ingress.timeout`",
  bodySize: "`ingress.maxBodySize`",
  backendProtocol: "`ingress.protocol`",
};

/** Rows that say the same of every router say nothing. */
function isOfInterest(capability: keyof RouterCapabilities): boolean {
  return routerNames.some((name) => said(name, capability) !== "no");
}

function said(name: BuiltInRouterName, capability: keyof RouterCapabilities): string {
  const capabilities: RouterCapabilities = routerCapabilities[name];
  const value = capabilities[capability];
  if (value === undefined) return "by the controller";
  if (typeof value === "string") return `\`${value}\``;
  return value ? "yes" : "no";
}

export function capabilityTable(): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const head = ["", ...routerNames.map((name) => `[\`${name}\`](${name}.md)`)];
  const capabilities = (Object.keys(rows) as (keyof RouterCapabilities)[]).filter(isOfInterest);
  return [
    line(head),
    line(head.map(() => "---")),
    ...capabilities.map((one) => line([rows[one], ...routerNames.map((name) => said(name, one))])),
  ].join("\n");
}

/** The page with its table as the code has it. */
export function withCapabilities(page: string): string {
  return page.replace(/(<!-- capabilities -->\n)[\s\S]*?(<!-- end -->)/, `$1\n${capabilityTable()}\n\n$2`);
}
