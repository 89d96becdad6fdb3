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
  const of = (slot: string) =>
    text
      .split("\n")
      .filter(
        (line) =>
          line.startsWith("traefik_service_requests_total{") &&
          line.includes(project.namespace.name) &&
          /code="5\d\d"/.test(line) &&
          new RegExp(`-${slot}[-"@]`).test(line),
      )
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
  return { live: of(live), other: of(live === "blue" ? "green" : "blue") };
}
