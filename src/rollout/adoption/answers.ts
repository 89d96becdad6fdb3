import { exitCodes, messageOf, UserError } from "../../core/errors.ts";
import { placesOf } from "../../core/model.ts";
import type { RolloutContext } from "../context/context.ts";
import { type Endpoint, ingressEndpoints } from "../observe/ingress-endpoints.ts";
import type { Observation } from "../observe/observation.ts";
import { probeHost } from "../proof/identity-question.ts";
import type { AppliedSettings } from "../record/record.ts";

/** What one request got, as far as clients notice: the same for every answer of one model. */
export interface SeenAnswer {
  /** For people, for example `http://203.0.113.7:80 for models.acme.io/`. */
  readonly question: string;
  /** What was got, each once. */
  readonly answers: readonly string[];
}

/** Headers that the ingress decides about, or clients rely on. */
const headers = [
  ...["location", "www-authenticate", "strict-transport-security", "access-control-allow-origin"],
  ...["content-type", "content-security-policy", "x-frame-options", "server"],
];

const asks = 3;

/**
 * Asks the ingress at every address for every host and path of the model, over http and https alike: what clients get of redirects,
 * certificates and protection.
 */
export async function seenAnswers(
  context: RolloutContext,
  { ingress }: Pick<AppliedSettings, "ingress">,
  observation: Observation,
): Promise<SeenAnswer[]> {
  const asked = (configured: readonly string[]) =>
    ingressEndpoints({
      api: context.api,
      configured,
      ingress: observation.ingress,
      host: ingress.host,
      lookup: context.lookup,
      signal: context.signal,
    });
  const endpoints = await asked(context.config.endpoints);
  // Clients may come by other ways than the one that proofs take.
  const published = await asked([]).catch(() => []);
  const questions = bothWays([...endpoints, ...published]).flatMap((endpoint) =>
    placesOf(ingress).map(({ host, path }) => ({ endpoint, host: probeHost(host), path: plain(path) })),
  );
  return await Promise.all(
    questions.map(async ({ endpoint, host, path }) => {
      const got = new Set<string>();
      for (let ask = 0; ask < asks; ask++) {
        got.add(
          await context
            .probe({ endpoint, host, path, headers: {}, timeoutMs: 5000, signal: context.signal })
            .then(fingerprint, (error: unknown) => `no answer (${messageOf(error)})`),
        );
        context.signal.throwIfAborted();
      }
      return { question: `${endpoint.url} for ${host}${path}`, answers: [...got].toSorted() };
    }),
  );
}

/** Where nothing else was said, controllers listen at both ports. */
function bothWays(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const other = ({ protocol, address, url }: Endpoint): Endpoint =>
    protocol === "http"
      ? { protocol: "https", address, port: 443, url: url.replace(/^http:(.*):80$/, "https:$1:443") }
      : { protocol: "http", address, port: 80, url: url.replace(/^https:(.*):443$/, "http:$1:80") };
  const all = endpoints.flatMap((endpoint) =>
    endpoint.port === (endpoint.protocol === "http" ? 80 : 443) ? [endpoint, other(endpoint)] : [endpoint],
  );
  return [...new Map(all.map((endpoint) => [endpoint.url, endpoint])).values()];
}

/** A path that an expression takes. */
function plain(path: string): string {
  return /^[^([*+?|$\\]*/.exec(path)?.[0] || "/";
}

function fingerprint(answer: {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}): string {
  const told = headers.flatMap((name) => {
    const value = answer.headers[name];
    return value === undefined ? [] : [`${name}: ${value}`];
  });
  const cookies = (answer.headers["set-cookie"] ?? "")
    .split(/,(?=[^;,]*=)/)
    .map((cookie) => cookie.split("=")[0]?.trim() ?? "")
    .filter(Boolean);
  return [`status ${answer.status}`, ...told, ...cookies.map((name) => `cookie ${name}`)].join(", ");
}

/** What is got now and was not before, line by line; none: everything is answered as before. Pure. */
export function changedAnswers(before: readonly SeenAnswer[], now: readonly SeenAnswer[]): string[] {
  return now.flatMap(({ question, answers }) => {
    const former = before.find((one) => one.question === question)?.answers;
    if (former === undefined) return [];
    // What failed before now and then may have recovered.
    const fresh = answers.filter((answer) => !former.includes(answer));
    return fresh.length === 0 ? [] : [`${question}: ${fresh.join(" or ")}; before: ${former.join(" or ")}`];
  });
}

/** Milliseconds within which a controller has taken up what was written, and after which a difference is one. */
const takenUpMs = 3000;
const patienceMs = 15_000;

/** Looks until the ingress has had the time to take up what was written, and answers as before; says what stays different. */
export async function settledAnswers(
  context: RolloutContext,
  look: () => Promise<readonly SeenAnswer[]>,
  before: readonly SeenAnswer[],
): Promise<string[]> {
  const startedAt = context.clock.now();
  for (;;) {
    const changes = changedAnswers(before, await look());
    const ms = context.clock.now() - startedAt;
    if (changes.length === 0 && ms >= takenUpMs) return [];
    if (changes.length > 0 && ms >= patienceMs) return changes;
    await context.clock.sleep(500, context.signal);
  }
}

export function answersChanged(model: string, changes: readonly string[]): UserError {
  return new UserError({
    code: "adoption-changes-answers",
    message: [
      `With ${model} taken over, the ingress answered otherwise than before, so everything was given back as it was found:`,
      ...changes.map((line) => `  ${line}`),
    ].join("\n"),
    hint: "Compare the Ingress with the one that `modelswitch adopt` described, and say what is missing under `ingress` in the configuration. If somebody else changed something just then, run it again.",
    exitCode: exitCodes.failed,
    details: { changes },
  });
}
