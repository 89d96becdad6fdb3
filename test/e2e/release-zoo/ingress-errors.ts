import { request } from "undici";
import type { ModelProject } from "../model-project.ts";

/** Answers with 5xx that the ingress has counted for each slot: also those that no model gave. */
export interface IngressErrors {
  readonly live: number;
  readonly other: number;
}

/** As the controller of the local cluster counts. `live`: the slot of which clients' share is looked at. */
export async function ingressErrors(project: ModelProject, live: "blue" | "green"): Promise<IngressErrors> {
  const url = new URL(project.ingressUrl);
  // Two thousand above the port of the traffic.
  const answer = await request(`http://${url.hostname}:${Number(url.port) + 2000}/metrics`);
  const text = await answer.body.text();
  const errors = text
    .split("\n")
    .filter(
      (line) =>
        line.startsWith("traefik_service_requests_total{") &&
        line.includes(project.namespace.name) &&
        /code="5\d\d"/.test(line),
    );
  // A canary is called after the main Service: until clients are moved for good it is the other slot's.
  const isLive = (line: string) => line.includes(`-${live}-80@`);
  const sum = (lines: readonly string[]) =>
    lines.reduce((all, line) => all + Number(line.slice(line.lastIndexOf(" "))), 0);
  return { live: sum(errors.filter(isLive)), other: sum(errors.filter((line) => !isLive(line))) };
}
