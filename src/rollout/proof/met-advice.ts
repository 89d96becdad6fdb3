import type { MetKind } from "../../core/met.ts";

const credentials =
  'give the proof what clients have, ingress.probe.headers: { Authorization: { secret: "NAME", key: "KEY" } } (or { env: "VARIABLE" })';

const advice: Readonly<Record<Exclude<MetKind, "missing" | "no-backend">, string>> = {
  limit:
    "The ingress limits how often it may be asked: let this machine through (nginx.ingress.kubernetes.io/limit-whitelist, or the rule of the gateway in front), raise the limit, or give the proof more time (deadlines.proof).",
  challenge:
    "A firewall in front of the ingress takes the proof for a robot: let this machine, or a header of its own (ingress.probe.headers), through there, or name the ingress behind it (ingress.endpoints).",
  credentials: `The ingress asks for credentials: ${credentials}.`,
  login: `A login stands in front of the model: ${credentials}, or leave the identity's path out of it.`,
  forbidden: `Somebody in front of the model refuses this machine: add its address where the others are (whitelist-source-range, the firewall's rule), or ${credentials}.`,
  https:
    'The ingress wants https: name its address so, ingress.endpoints: ["https://ADDRESS:PORT"]. Certificates are not verified in a proof.',
  redirect:
    "The ingress redirects what the proof asks for: correct the path (identity.path, identity.ingressPath), or the redirect's annotation.",
  page: "Something in front of the model answers with a page: look at it with curl, and name the ingress itself (ingress.endpoints) or what it wants (ingress.probe.headers).",
};

/** How to go on after what was met, the most telling first; none: nothing that is known was met. Pure. */
export function adviceFor(kinds: readonly MetKind[]): readonly string[] {
  return Object.entries(advice)
    .filter(([kind]) => kinds.some((one) => one === kind))
    .map(([, text]) => text);
}
