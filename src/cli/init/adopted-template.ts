import { withoutIdentity } from "../../component/servers/preset-server.ts";
import { defaults } from "../../core/defaults.ts";
import { speaksGrpc } from "../../core/model.ts";
import type { Described } from "../../rollout/adoption/describe.ts";
import type { DescribedServer } from "../../rollout/adoption/found-server.ts";
import type { ServerChoice } from "./answers.ts";

export interface AdoptedAnswers {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly server: ServerChoice;
}

/** The text of a `modelswitch.config.ts` that says what runs. Pure. */
export function adoptedConfigText({ name, namespace, server }: AdoptedAnswers, found: Described): string {
  const { release, blue, green, ingress, service, servicePort, router } = found;
  return [
    `import { ${server === "custom" ? "custom, " : ""}defineConfig } from "modelswitch";`,
    "",
    "export default defineConfig({",
    `  name: ${JSON.stringify(name)},`,
    ...(namespace === undefined ? [] : [`  namespace: ${JSON.stringify(namespace)},`]),
    ...(server === "custom" ? serverLines(name, found) : presetLines(server)),
    "  // What runs, and the template of the next release: `modelswitch release --set image=IMAGE`.",
    ...(found.server.http
      ? []
      : ["  // `mark` of each release: the text that its answers have where server.grpcOnly looks."]),
    `  release: ${literal(release, 2)},`,
    "  slots: {",
    "    // What runs already: its pods keep the template that they have until another release goes into blue.",
    `    blue: ${literal(blue, 4)},`,
    `    green: ${literal(green, 4)},`,
    "  },",
    `  ingress: ${literal(ingress, 2)},`,
    ...(servicePort === defaults.servicePort ? [] : [`  servicePort: ${servicePort},`]),
    ...(service === undefined
      ? []
      : [
          "  // What the Service that runs has, and green's gets, too.",
          `  service: ${literal(service, 2)},`,
        ]),
    ...(router === defaults.router ? [] : [`  router: ${JSON.stringify(router)},`]),
    "});",
    "",
  ].join("\n");
}

function presetLines(server: ServerChoice): string[] {
  return [
    "  // What later releases need: the pods that run keep what they have.",
    `  server: ${JSON.stringify(server)},`,
    ...(withoutIdentity.includes(server)
      ? [
          "  // How an answer is recognised as blue's or green's: something that differs between two releases.",
          '  identity: { path: "/version", from: { kind: "body" } },',
        ]
      : []),
  ];
}

function serverLines(name: string, { server, ...found }: Described): string[] {
  const { port, otherPorts } = server;
  return [
    "  // What later releases need: the pods that run keep what they have.",
    "  server: custom({",
    `    port: ${port},`,
    ...(Object.keys(otherPorts).length === 0 ? [] : [`    otherPorts: ${literal(otherPorts, 4)},`]),
    ...(server.http ? httpLines(name, server, found) : grpcOnlyLines(name, server)),
    "  }),",
  ];
}

const howRecognised =
  "    // How an answer is recognised as blue's or green's: something that differs between two releases.";

/** What servers of the Open Inference protocol answer, as the file's first proposal. */
const grpcProposal = (name: string) => ({
  method: "inference.GRPCInferenceService/ModelMetadata",
  request: { "1": name },
  from: { kind: "field", path: "2" },
});

function httpLines(
  name: string,
  { readinessPath, livenessPath }: Extract<DescribedServer, { http: true }>,
  { ingress: { path = "/", protocol = "http" }, release }: Pick<Described, "ingress" | "release">,
): string[] {
  const probe = (release.kubernetes?.container as { readonly readinessProbe?: object } | undefined)
    ?.readinessProbe;
  // Where nobody said it, somebody has to.
  const asked = readinessPath ?? (probe === undefined ? "/" : undefined);
  const base = path.replace(/\/+$/, "");
  const identity = {
    ...(readinessPath?.startsWith("/v2/health/") === true
      ? { path: `${base}/v2/models/${name}`, from: { kind: "json", path: "versions.0" } }
      : { path: base === "" ? "/" : base, from: { kind: "body" } }),
    ...(speaksGrpc(protocol) ? { grpc: grpcProposal(name) } : {}),
  };
  return [
    ...(asked === undefined ? [] : [`    readinessPath: ${JSON.stringify(asked)},`]),
    ...(livenessPath === undefined ? [] : [`    livenessPath: ${JSON.stringify(livenessPath)},`]),
    howRecognised,
    `    identity: ${literal(identity, 4)},`,
  ];
}

function grpcOnlyLines(
  name: string,
  { readinessService, livenessService }: Extract<DescribedServer, { http: false }>,
): string[] {
  return [
    ...(readinessService === undefined ? [] : [`    readinessService: ${JSON.stringify(readinessService)},`]),
    ...(livenessService === undefined ? [] : [`    livenessService: ${JSON.stringify(livenessService)},`]),
    howRecognised,
    `    grpcOnly: ${literal(grpcProposal(name), 4)},`,
  ];
}

const identifier = /^[A-Za-z_$][\w$]*$/;

/** A value as TypeScript, in one line where it is short. */
function literal(value: unknown, indent: number): string {
  const line = inline(value);
  if (indent + line.length <= 90 || typeof value !== "object" || value === null) return line;
  const inner = " ".repeat(indent + 2);
  const end = " ".repeat(indent);
  if (Array.isArray(value)) {
    return `[\n${value.map((one) => `${inner}${literal(one, indent + 2)},\n`).join("")}${end}]`;
  }
  const lines = present(value).map(([key, one]) => `${inner}${key}: ${literal(one, indent + 2)},\n`);
  return `{\n${lines.join("")}${end}}`;
}

function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (present(value).length === 0) return "{}";
  return `{ ${present(value)
    .map(([key, one]) => `${key}: ${inline(one)}`)
    .join(", ")} }`;
}

function present(value: object): [string, unknown][] {
  return Object.entries(value)
    .filter(([, one]) => one !== undefined)
    .map(([key, one]) => [identifier.test(key) ? key : JSON.stringify(key), one]);
}
