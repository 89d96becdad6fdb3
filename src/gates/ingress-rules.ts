import { z } from "zod";
import type { ConfigProblem } from "../config/parts/problem.ts";
import { otherwise } from "../config/parts/schema-parts.ts";
import { type Fields, isFields, valueAt } from "../core/fields.ts";
import { type GatePhase, gatePhases } from "../core/gates.ts";
import { leadsToModel } from "../core/identity-path.ts";
import type { IngressSpec } from "../core/model.ts";
import type { GateAround } from "./kind.ts";

/** Headers of a gate's requests. */
export const ingressHeaders = z
  .record(
    z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, "is no header name"),
    z.string().regex(/^[\t\x20-\x7e]*$/, "may have printable characters only"),
  )
  .optional()
  .describe("Headers of the requests by name");

export const anyCertificate = z
  .boolean()
  .optional()
  .describe(`Take any certificate of the ingress, over https. ${otherwise(false)}: it must be trusted here`);

/**
 * What is wrong with a gate that sends requests of its own through the ingress. `key`: under which the gate has its `path`. Paths begin at the
 * gate.
 */
export function ingressGateProblems(
  key: string,
  { [key]: asking, phases }: Fields,
  { input, preview }: GateAround,
): ConfigProblem[] {
  if (!isFields(asking)) return [];
  const problems: ConfigProblem[] = [];
  const { path } = asking;
  const protocol = valueAt(input, ["ingress", "protocol"]);
  const speaksGrpc = asking.protocol === "open-inference-grpc";
  if (speaksGrpc) return previewProblems(key, phases, preview);
  if (protocol === "grpc" || protocol === "grpcs") {
    const message = `asks over HTTP, but ingress.protocol is "${protocol}"; let a program ask instead, for example run: ["grpcurl", …]`;
    problems.push({ path: [key], message });
  }
  const ingress = ingressOf(input);
  if (typeof path === "string" && ingress !== undefined && !leadsToModel(ingress, path)) {
    const message = `"${path}" is not under ingress.path "${ingress.path ?? "/"}", so the ingress would not send it to the model; write the path as clients do`;
    problems.push({ path: [key, "path"], message });
  }
  return [...problems, ...previewProblems(key, phases, preview)];
}

function previewProblems(key: string, phases: unknown, preview: GateAround["preview"]): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const asked: readonly unknown[] = Array.isArray(phases) ? phases : gatePhases;
  const early = (["verify", "shift"] satisfies GatePhase[]).filter((phase) => asked.includes(phase));
  if (preview !== undefined && early.length > 0 && !preview.able) {
    const { router, others } = preview;
    const message = `sends requests to the new release in ${early.join(" and ")}, before clients get there, which the router ${router} cannot; write phases: ["soak"], or choose the router ${others.join(" or ")}`;
    problems.push({ path: [phases === undefined ? key : "phases"], message });
  }
  return problems;
}

/** Hosts and paths, where they have the right shape; what is wrong with them is told elsewhere. */
function ingressOf(input: object): IngressSpec | undefined {
  const ingress = valueAt(input, ["ingress"]);
  if (!isFields(ingress) || !(ingress.annotations === undefined || isFields(ingress.annotations))) return;
  const places: readonly unknown[] = [ingress, ...(Array.isArray(ingress.also) ? ingress.also : [])];
  const isText = (value: unknown) => value === undefined || typeof value === "string";
  const isRight = places.every(
    (place) => isFields(place) && [place.host, place.path, place.pathType].every(isText),
  );
  return isRight ? (ingress as unknown as IngressSpec) : undefined;
}
