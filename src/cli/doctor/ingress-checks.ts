import { routerNamed } from "../../component/routers/factory.ts";
import type { Router } from "../../component/routers/router.ts";
import type { ResolvedConfig } from "../../config/model/types.ts";
import { defaults } from "../../core/defaults.ts";
import { messageOf } from "../../core/errors.ts";
import { headline } from "../../core/headline.ts";
import { identityPlaces } from "../../core/identity-path.ts";
import { type IngressGuard, ingressGuards } from "../../core/ingress-guards.ts";
import { isLasting } from "../../core/met.ts";
import { objectPath } from "../../core/object-kind.ts";
import type { KubernetesApi, KubernetesObject } from "../../kubernetes/api.ts";
import { ingressEndpoints } from "../../rollout/observe/ingress-endpoints.ts";
import { outcomeOf, questionsFor } from "../../rollout/proof/identity-question.ts";
import { adviceFor } from "../../rollout/proof/met-advice.ts";
import { probeWith, readProbeHeaders } from "../../rollout/proof/probe-headers.ts";
import type { Probe } from "../../rollout/proof/probe-request.ts";
import type { ProbeOutcome } from "../../rollout/proof/proof.ts";
import { failed, ok, skipped, type Verdict, warning } from "./check.ts";

/** What stands between clients and the model: found in the Ingress, and met by one request. */

interface LiveIngress extends KubernetesObject {
  readonly spec?: {
    readonly ingressClassName?: string;
    readonly tls?: readonly { readonly hosts?: readonly string[] }[];
  };
  readonly status?: {
    readonly loadBalancer?: { readonly ingress?: readonly { ip?: string; hostname?: string }[] };
  };
}

/** The model's Ingress as it is now; `undefined`: it is not there yet. */
export async function liveIngress(
  api: KubernetesApi,
  namespace: string,
  name: string,
  signal: AbortSignal,
  router: Router = routerNamed(defaults.router),
): Promise<LiveIngress | undefined> {
  const path = objectPath(namespace, { kind: router.kinds[0], name });
  return await api.find<LiveIngress>(path, { signal });
}

const hints: Readonly<Record<IngressGuard["kind"], string>> = {
  limit:
    "A proof asks tens of times in a moment and slows down where it is limited: let this machine through, or raise deadlines.proof.",
  credentials:
    'Give the proof what clients have: ingress.probe.headers: { Authorization: { secret: "NAME", key: "KEY" } } or { env: "VARIABLE" }.',
  forbidden: "Commands have to run where requests may come from, or their machine has to be let through.",
  https: 'Let the proof ask so: ingress.endpoints: ["https://ADDRESS:PORT"].',
  redirect: "No request gets to the model while that is there.",
  unknown: "What they do is not written in the Ingress: the check of its answer tells more.",
};

/** What annotations say of limits, credentials and the like, those of the file and those that are there. Pure. */
export function guardsVerdict(
  { ingress, endpoints, probeHeaders = {} }: Pick<ResolvedConfig, "ingress" | "endpoints" | "probeHeaders">,
  live: LiveIngress | undefined,
): Verdict {
  const annotations = { ...ingress.annotations, ...live?.metadata?.annotations };
  const hasTls = (ingress.tls ?? live?.spec?.tls ?? []).length > 0;
  const asksOverHttps = endpoints.length > 0 ? endpoints.every((url) => url.startsWith("https:")) : hasTls;
  const isMet = ({ kind }: IngressGuard) =>
    (kind === "credentials" && Object.keys(probeHeaders).length > 0) || (kind === "https" && asksOverHttps);
  const guards = ingressGuards(annotations, hasTls);
  if (guards.length === 0) return ok("no annotation limits requests or asks for credentials");
  const detail = guards.map(({ annotation, does }) => `${annotation}: ${does}`).join("; ");
  const kinds = [...new Set(guards.filter((guard) => !isMet(guard)).map(({ kind }) => kind))];
  return kinds.length === 0 ? ok(detail) : warning(detail, kinds.map((kind) => hints[kind]).join(" "));
}

export interface AnswerWorld {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly probe: Probe;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly lookup: (host: string) => Promise<readonly string[]>;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** Asks the ingress once, as a proof does. */
export async function askIngressOnce(
  config: ResolvedConfig,
  live: LiveIngress | undefined,
  world: AnswerWorld,
): Promise<Verdict> {
  const identity = config.identity ?? config.server.identity;
  if (identity === undefined) return skipped("nothing says how an answer is recognised");
  // Throws where no request gets there, with what to set.
  identityPlaces(config.ingress, identity);
  if (live === undefined) return skipped("there is no Ingress yet that could be asked");
  const { api, namespace, env, signal } = world;
  const [endpoint] = await ingressEndpoints({
    api,
    configured: config.endpoints,
    ingress: routerNamed(config.router).front(live),
    host: config.ingress.host,
    lookup: async (host) => (await world.lookup(host)).map((address) => ({ address })),
    signal,
  });
  const [question] = questionsFor(config.ingress, identity);
  if (endpoint === undefined || question === undefined) return skipped("the Ingress has no address yet");
  const sources = config.probeHeaders ?? {};
  const read = () => readProbeHeaders({ sources, api, namespace, env, signal });
  const probe = probeWith(world.probe, read, Object.keys(sources));
  const where = `GET ${question.path} for ${question.host} at ${endpoint.url}`;
  await read();
  try {
    const answer = await probe({ ...question, endpoint, headers: {}, timeoutMs: 4_000, signal });
    const isLimited = ingressGuards(live.metadata?.annotations).some(({ kind }) => kind === "limit");
    const about = { protocol: endpoint.protocol, isLimited, now: world.now() };
    return answerVerdict(where, outcomeOf(question, identity, answer, about));
  } catch (error) {
    return failed(
      `${where}: ${headline(messageOf(error))}`,
      'Check the ingress controller, or say where it listens: ingress.endpoints: ["http://ADDRESS:PORT"].',
    );
  }
}

/** What one answer means. Pure. */
export function answerVerdict(where: string, outcome: ProbeOutcome): Verdict {
  switch (outcome.kind) {
    case "error":
      return failed(`${where}: ${outcome.message}`, "Look at the model server, and at ingress.protocol.");
    case "unanswered":
      return warning(`${where}: ${outcome.met.why}`, adviceFor([outcome.met.kind]).join(" "));
    case "answer": {
      const { status, identity, met } = outcome;
      if (identity !== undefined) return ok(`${where}: ${identity}`);
      if (met === undefined) {
        return warning(
          `${where}: HTTP ${status} without an identity`,
          "Look at what it answers with curl, and at `identity` in the config file.",
        );
      }
      const hint = adviceFor([met.kind]).join(" ");
      return isLasting(met.kind)
        ? failed(`${where}: ${met.why}`, hint)
        : warning(
            `${where}: ${met.why}`,
            "`modelswitch status` shows whether a slot has ready pods; compare host and path with what clients ask for.",
          );
    }
  }
}
