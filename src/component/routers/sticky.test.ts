import { describe, expect, test } from "vitest";
import { objectNames } from "../../core/names.ts";
import { plan, Simulation } from "../../core/rollout/simulation.fixture.ts";
import { type Routing, settledOn } from "../../core/routing.ts";
import { type Slot, slots } from "../../core/slots.ts";
import { nginx } from "./nginx.ts";
import type { Router, RouterInput, RoutingObject } from "./router.ts";
import { traefik } from "./traefik.ts";

/**
 * Clients that keep their cookies, before a controller that does what the objects say. Each is written from the source of the controller: what is
 * shown here is that the objects, in the order in which a release writes them, keep clients where they are.
 */
const input: Omit<RouterInput, "routing"> = {
  model: "fraud",
  namespace: "ml",
  ingress: { host: "ml.example.com" },
  previewHeader: "X-Preview",
  servicePort: 80,
};

interface Client {
  /** Values of cookies by their name. */
  readonly cookies: Map<string, string>;
  readonly answers: Slot[];
}

type Answer = (client: Client, objects: readonly RoutingObject[], random: () => number) => Slot;

const { service } = objectNames("fraud");
const slotOf = (name: string): Slot => {
  const found = slots.find((slot) => service[slot] === name);
  if (found === undefined) throw new Error(`${name} is no Service of the model.`);
  return found;
};

/** A weighted round robin with a cookie: one that names a service with a weight is followed, else one is set (pkg/server/service/loadbalancer/wrr). */
function weighted(
  client: Client,
  of: readonly { readonly name: string; readonly weight: number }[],
  cookie: string | undefined,
  random: () => number,
): Slot {
  const there = of.filter(({ weight }) => weight > 0);
  const kept = cookie === undefined ? undefined : client.cookies.get(cookie);
  if (kept !== undefined && there.some(({ name }) => name === kept)) return slotOf(kept);
  const total = there.reduce((sum, { weight }) => sum + weight, 0);
  let at = random() * total;
  const chosen = there.find(({ weight }) => {
    at -= weight;
    return at < 0;
  });
  const name = chosen?.name ?? there[0]?.name ?? "";
  if (cookie !== undefined) client.cookies.set(cookie, name);
  return slotOf(name);
}

interface TraefikWeights {
  readonly weighted: {
    readonly services: readonly { readonly name: string; readonly weight: number }[];
    readonly sticky?: { readonly cookie: { readonly name: string } };
  };
}

const byTraefik: Answer = (client, objects, random) => {
  const spec = objects[1]?.spec as TraefikWeights | undefined;
  return weighted(client, spec?.weighted.services ?? [], spec?.weighted.sticky?.cookie.name, random);
};

const prefix = "nginx.ingress.kubernetes.io";

function ingresses(objects: readonly RoutingObject[]) {
  const backend = (index: number) => {
    const spec = objects[index]?.spec as {
      rules: { http: { paths: { backend: { service: { name: string } } }[] } }[];
    };
    return spec.rules[0]?.http.paths[0]?.backend.service.name ?? "";
  };
  const main = objects[0]?.metadata.annotations ?? {};
  const weight = Number(objects[1]?.metadata.annotations[`${prefix}/canary-weight`]);
  const cookie = main[`${prefix}/affinity`] === "cookie" ? main[`${prefix}/session-cookie-name`] : undefined;
  return { main: backend(0), canary: backend(1), weight, cookie };
}

/** Its translator makes a weighted round robin of both, whose cookie is called by the session's with `-wrr`. */
const byTraefikNginx: Answer = (client, objects, random) => {
  const { main, canary, weight, cookie } = ingresses(objects);
  if (main === canary) return slotOf(main);
  const of = [
    { name: main, weight: 100 - weight },
    { name: canary, weight },
  ];
  return weighted(client, of, cookie && `${cookie}-wrr`, random);
};

/** `route_to_alternative_balancer` in rootfs/etc/nginx/lua/balancer.lua: the cookie is looked at before the weight, whatever that is. */
const byIngressNginx: Answer = (client, objects, random) => {
  const { main, canary, weight, cookie } = ingresses(objects);
  const kept = cookie === undefined ? undefined : client.cookies.get(cookie);
  const chosen = () => {
    if (main === canary || kept === main) return main;
    if (kept === canary) return canary;
    return random() * 100 < weight ? canary : main;
  };
  const name = chosen();
  if (cookie !== undefined && kept !== name) client.cookies.set(cookie, name);
  return slotOf(name);
};

/** A sequence that is the same in each run (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const steps = [5, 25, 50].map((weight) => ({ weight, holdMs: 1_000 }));

/** All routings that a release writes, in their order. */
function writesOf(router: Router): { readonly routing: Routing; readonly share: number }[] {
  const { weights, commit } = router.capabilities;
  const run = new Simulation({ ...plan, steps, pins: true }, weights, commit);
  const seen = [{ routing: run.routing, share: 0 }];
  while (run.state.phase !== "done") {
    const { phase, stepIndex } = run.state;
    const action = run.step();
    const share = phase === "shift" ? (steps[stepIndex]?.weight ?? 0) : 100;
    if (action.kind === "route") seen.push({ routing: run.routing, share });
  }
  expect(run.routing).toEqual(settledOn("green"));
  return seen;
}

const newClient = (): Client => ({ cookies: new Map(), answers: [] });
const clientsAtOnce = 10_000;

describe.each<[string, Router, Answer]>([
  ["traefik", traefik, byTraefik],
  ["nginx, served by Traefik", nginx, byTraefikNginx],
  ["nginx, served by ingress-nginx", nginx, byIngressNginx],
])("clients that keep cookies, with the router %s", (_name, router, answer) => {
  const random = randomFrom(7);
  const clients = Array.from({ length: clientsAtOnce }, newClient);
  const shares: { declared: number; seen: number }[] = [];
  for (const { routing } of writesOf(router)) {
    const objects = router.objects({ ...input, routing });
    const ask = (client: Client) => {
      client.answers.push(answer(client, objects, random));
    };
    const fresh = Array.from({ length: clientsAtOnce }, newClient);
    for (const client of [...clients, ...fresh]) for (let request = 0; request < 2; request++) ask(client);
    const { main, candidate, weight } = routing;
    const share =
      candidate === "green" ? (main === "green" ? 100 : weight) : main === "green" ? 100 - weight : 0;
    shares.push({
      declared: share,
      seen: fresh.filter(({ answers }) => answers[0] === "green").length / clientsAtOnce,
    });
    clients.push(...fresh);
  }

  test("move to the new release once, and never back", () => {
    for (const { answers } of clients) {
      const moves = answers.filter((slot, index) => index > 0 && slot !== answers[index - 1]).length;
      expect(moves).toBeLessThanOrEqual(1);
      expect(answers.at(-1)).toBe("green");
      if (moves === 1) expect(answers[0]).toBe("blue");
    }
  });

  test("are dealt by the shares when they come", () => {
    expect(new Set(shares.map(({ declared }) => declared))).toEqual(new Set([0, 5, 25, 50, 100]));
    for (const { declared, seen } of shares) {
      const part = declared / 100;
      const deviation = Math.sqrt((part * (1 - part)) / clientsAtOnce);
      expect(Math.abs(seen - part)).toBeLessThanOrEqual(5 * deviation);
    }
  });

  test("have a cookie of this release alone, which the next one does not know", () => {
    const names = new Set(clients.flatMap(({ cookies }) => [...cookies.keys()]));
    expect([...names].map((name) => name.replace(/-wrr$/, ""))).toEqual(["modelswitch-fraud-2"]);
  });
});
