import { withoutIdentity } from "../../component/servers/preset-server.ts";
import { defaults } from "../../core/defaults.ts";
import type { InitAnswers } from "./answers.ts";

/** An address of the documentation range: nobody answers there. */
export const placeholderEndpoint = "http://203.0.113.7";

/** The text of `modelswitch.config.ts`. Pure. */
export function configText(answers: InitAnswers, port: number | undefined): string {
  const quoted = (text: string) => JSON.stringify(text);
  const { routing } = answers;
  const router = routing === undefined || routing.router === defaults.router ? undefined : routing.router;
  const gateway = routing?.ingress.gateway;
  const ingress = [
    `host: ${quoted(answers.host)}`,
    ...(answers.className === undefined ? [] : [`className: ${quoted(answers.className)}`]),
    ...(gateway === undefined
      ? []
      : [`gateway: { name: ${quoted(gateway.name)}, namespace: ${quoted(gateway.namespace)} }`]),
    ...(routing?.needsEndpoints === true ? [`endpoints: [${quoted(placeholderEndpoint)}]`] : []),
  ];
  const server =
    answers.server === "custom"
      ? [
          "  server: custom({",
          `    port: ${port ?? 8080},`,
          '    readinessPath: "/",',
          "    // How an answer is recognised as blue's or green's: something that differs between two releases.",
          '    identity: { path: "/", from: { kind: "body" } },',
          "  }),",
        ]
      : [
          `  server: ${quoted(answers.server)},`,
          ...(withoutIdentity.includes(answers.server)
            ? [
                "  // How an answer is recognised as blue's or green's: something that differs between two releases.",
                '  identity: { path: "/version", from: { kind: "body" } },',
              ]
            : []),
        ];
  return [
    `import { ${answers.server === "custom" ? "custom, " : ""}defineConfig } from "modelswitch";`,
    "",
    "export default defineConfig({",
    `  name: ${quoted(answers.name)},`,
    ...(answers.namespace === undefined ? [] : [`  namespace: ${quoted(answers.namespace)},`]),
    ...server,
    "  // What the next release runs; `modelswitch up` puts release 1 into blue.",
    `  release: { image: ${quoted(answers.image)} },`,
    ...(router === undefined ? [] : [`  // ${routing?.because}`, `  router: ${quoted(router)},`]),
    `  ingress: { ${ingress.join(", ")} },`,
    "  // A release gets its traffic in steps, chosen by how much there is; `modelswitch plan` shows them.",
    '  rollout: { steps: "auto" },',
    "});",
    "",
  ].join("\n");
}

/** The .gitignore with our entry in it; `undefined` when it is there already. Pure. */
export function gitignoreWith(existing: string | undefined): string | undefined {
  const entry = ".modelswitch/";
  const lines = (existing ?? "").split(/\r?\n/).map((line) => line.trim());
  if (lines.some((line) => [entry, `/${entry}`, ".modelswitch", "/.modelswitch"].includes(line)))
    return undefined;
  if (existing === undefined || existing === "") return `${entry}\n`;
  return `${existing}${existing.endsWith("\n") ? "" : "\n"}${entry}\n`;
}
