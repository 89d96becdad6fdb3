import { presetNamed } from "../../component/servers/preset-server.ts";
import { configProblems } from "../../config/model/validate.ts";
import { describePath, mayBeSecret } from "../../config/parts/problem.ts";
import { exitCodes, UserError } from "../../core/errors.ts";
import { type Described, describeFound } from "../../rollout/adoption/describe.ts";
import { discover, refused } from "../../rollout/adoption/discover.ts";
import type { Discovered } from "../../rollout/adoption/discovered.ts";
import { serverAsFound } from "../../rollout/adoption/found-server.ts";
import { takeInventory } from "../../rollout/adoption/inventory.ts";
import { adoptionLines } from "../../rollout/adoption/plan-lines.ts";
import type { CommandContext, CommandInput } from "../command.ts";
import { type AdoptedAnswers, adoptedConfigText } from "./adopted-template.ts";
import { answerProblems, isServerChoice, type ServerChoice, suggestName } from "./answers.ts";
import { listensAlike, recognisedPreset } from "./recognise.ts";

/** A configuration that says what runs behind an Ingress, and what taking it over would do. */
export interface AdoptedScaffold {
  readonly text: string;
  /** The plan of the adoption, line by line. */
  readonly plan: readonly string[];
  /** What a person has to look at in the file. */
  readonly toCheck: readonly string[];
}

/**
 * Reads what an Ingress leads to. Writes nothing anywhere.
 * @throws UserError `from-unknown`, `adoption-refused`, `argument-invalid` (exit code 2)
 */
export async function scaffoldFromIngress(
  ingressName: string,
  input: CommandInput,
  context: CommandContext,
): Promise<AdoptedScaffold> {
  const name = nameFor(ingressName, input);
  const [{ resolveKubeconfig }, { connect }] = await Promise.all([
    import("../kubeconfig.ts"),
    import("../../kubernetes/connect.ts"),
  ]);
  const connection = connect(await resolveKubeconfig(context.globals, context.env));
  const wanted = input.options.namespace;
  const namespace = typeof wanted === "string" ? wanted : connection.namespace;
  const found = discover(ingressName, name, await takeInventory(connection.api, namespace, context.signal));
  const asFound = describeFound(found, name);
  const server = serverFor(found, asFound, name, input);
  const described = server === "custom" ? asFound : describeFound(found, name, presetNamed(server, name));
  refuseInvalid(ingressName, namespace, configured({ name, namespace, server }, described));
  return {
    text: adoptedConfigText({ name, namespace, server }, described),
    plan: adoptionLines({ name, router: described.router }, namespace, found, described),
    toCheck: [
      ...whatTellsAnswers(described, server),
      ...(described.server.http && found.container.readinessProbe === undefined
        ? ["server.readinessPath: the pods that run have no readiness probe"]
        : []),
      ...Object.entries(described.release.env ?? {})
        .filter(([variable, value]) => typeof value === "string" && mayBeSecret([variable]))
        .map(
          ([variable]) =>
            `env.${variable}: sounds like a secret, and stands in the file as in the pods: in clear`,
        ),
    ],
  };
}

/** The same as the text, as far as it can be wrong: what the next command would refuse is never written. */
function configured({ name, namespace, server }: AdoptedAnswers, found: Described): object {
  const { release, blue, green, ingress, servicePort, service, router } = found;
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    server: server === "custom" ? serverAsFound(found.server, name) : server,
    release,
    slots: { blue, green },
    ingress,
    servicePort,
    ...(service === undefined ? {} : { service }),
    router,
  };
}

function refuseInvalid(ingressName: string, namespace: string, config: object): void {
  const problems = configProblems(config);
  if (problems.length === 0) return;
  throw refused(
    ingressName,
    namespace,
    problems.map(({ path, message }) => ({
      reason: `the configuration cannot say what runs: ${describePath(path)} ${message}`,
      remedy: "change that where it runs first",
    })),
  );
}

/** What no cluster can tell. */
function whatTellsAnswers({ server }: Described, choice: ServerChoice): string[] {
  if (!server.http) {
    return [
      "server.grpcOnly: the method whose answers tell one release from another; the pods are probed by gRPC's health service",
      "release.mark: the text that the answers of what runs have there; guessed from the image's tag",
    ];
  }
  const where = choice === "custom" ? "server.identity" : "identity, by default the preset's";
  return [`${where}: what tells an answer of one release from another's`];
}

/** The preset that was asked for or recognised, else a server of the user's own as it runs. */
function serverFor(
  { container }: Discovered,
  { server }: Described,
  name: string,
  input: CommandInput,
): ServerChoice {
  const given = input.options.server;
  if (typeof given !== "string" || !isServerChoice(given)) {
    return recognisedPreset(container, server, name) ?? "custom";
  }
  if (given === "custom") return given;
  const preset = presetNamed(given, name);
  if (server.http && listensAlike(preset, server)) return given;
  throw new UserError({
    code: "argument-invalid",
    message: `--server ${given} listens on ${portsOf(preset.httpPort, preset.otherPorts)}, but what runs on ${server.http ? portsOf(server.port, server.otherPorts) : `port ${server.port} over gRPC alone`}.`,
    hint: "Leave --server out: the file then says what runs.",
    exitCode: exitCodes.usage,
  });
}

function portsOf(http: number, { grpc }: Readonly<Record<string, number>>): string {
  return grpc === undefined ? `port ${http}` : `port ${http}, gRPC on ${grpc}`;
}

/** With --from the cluster says what runs: an option that says something else would be ignored. */
function nameFor(ingressName: string, input: CommandInput): string {
  for (const option of ["image", "host"]) {
    if (input.options[option] === undefined) continue;
    throw new UserError({
      code: "argument-invalid",
      message: `--${option} cannot be given with --from: the file says what runs.`,
      hint: "Change it in the file, after `modelswitch adopt`, for the next release.",
      exitCode: exitCodes.usage,
    });
  }
  const given = input.options.name;
  if (typeof given !== "string") return suggestName(ingressName);
  const problem = answerProblems.name(given);
  if (problem === undefined) return given;
  throw new UserError({
    code: "argument-invalid",
    message: `--name: ${problem}.`,
    exitCode: exitCodes.usage,
  });
}
