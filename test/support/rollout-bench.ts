import { setTimeout as sleep } from "node:timers/promises";
import type { SendAnswer, SendRequest } from "../../src/calls/io.ts";
import { markAnnotation, releaseLabel } from "../../src/component/deployment.ts";
import { nginx } from "../../src/component/routers/nginx.ts";
import { plain } from "../../src/component/routers/plain.ts";
import { routerOf } from "../../src/component/routers/together.ts";
import { custom } from "../../src/component/servers/custom.ts";
import type { ResolvedConfig } from "../../src/config/model/types.ts";
import { resolveRollout } from "../../src/config/rollout/rollout.ts";
import type { CallSubject, GateVerdict, Hook } from "../../src/core/calls.ts";
import type { Clock } from "../../src/core/clock.ts";
import { interrupted } from "../../src/core/errors.ts";
import type { Event } from "../../src/core/events.ts";
import type { ModelServer } from "../../src/core/model.ts";
import { namesOfModel } from "../../src/core/names.ts";
import { objectPath } from "../../src/core/object-kind.ts";
import type { Routing } from "../../src/core/routing.ts";
import type { Slot } from "../../src/core/slots.ts";
import { slots } from "../../src/core/slots.ts";
import type { ResourceChange } from "../../src/engine/stack.ts";
import type { StackResource } from "../../src/engine/stack-resource.ts";
import { Answers } from "../../src/kubernetes/answers.ts";
import {
  type ApiRequest,
  type ApiResponse,
  type KubernetesApi,
  KubernetesApiError,
  type KubernetesObject,
} from "../../src/kubernetes/api.ts";
import { Lists } from "../../src/kubernetes/lists.ts";
import type { RolloutContext } from "../../src/rollout/context/context.ts";
import { hearMs } from "../../src/rollout/lock/lease.ts";
import type { DeclaredObject } from "../../src/rollout/program/declared-objects.ts";
import { declaredObjects } from "../../src/rollout/program/declared-objects.ts";
import type { Desired } from "../../src/rollout/program/model-program.ts";
import type { ModelStack } from "../../src/rollout/program/model-stack.ts";
import type { Probe, ProbeRequest } from "../../src/rollout/proof/probe-request.ts";
import { RecordStore } from "../../src/rollout/record/record-store.ts";

/** Time that passes only when somebody waits. */
export class FakeClock implements Clock {
  #now = Date.parse("2026-11-23T08:00:00Z");
  readonly #waiters = new Set<{ readonly at: number; readonly wake: () => void }>();

  now(): number {
    return this.#now;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw interrupted("A wait");
    // Lets everything else that is ready run first.
    await new Promise((resolve) => setImmediate(resolve));
    if (signal?.aborted) throw interrupted("A wait");
    this.pass(ms);
  }

  pass(ms: number): void {
    this.#now += ms;
    for (const waiter of this.#waiters) if (waiter.at <= this.#now) waiter.wake();
  }

  /** Waits until others have made so much time pass. */
  whenPassed(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const over = (then: () => void) => {
        this.#waiters.delete(waiter);
        signal?.removeEventListener("abort", stop);
        then();
      };
      const waiter = { at: this.#now + ms, wake: () => over(resolve) };
      const stop = () => over(() => reject(interrupted("A wait")));
      this.#waiters.add(waiter);
      if (signal?.aborted) stop();
      signal?.addEventListener("abort", stop, { once: true });
    });
  }
}

interface Stored {
  readonly object: KubernetesObject;
  readonly version: number;
}

/** An API server of a few kinds, in memory: resourceVersions, conflicts, label selectors. */
export class FakeCluster implements KubernetesApi {
  readonly server = "https://cluster.test";
  readonly requests: ApiRequest[] = [];
  readonly #objects = new Map<string, Stored>();
  #version = 0;
  /** Answers requests before the store does. */
  intercept:
    | ((request: ApiRequest) => ApiResponse | undefined | Promise<ApiResponse | undefined>)
    | undefined;
  /** What controllers make of an object that was patched. */
  onPatch: ((path: string, object: KubernetesObject) => void) | undefined;
  /** Runs after a patch has been written, before it is answered; may throw. */
  afterPatch: ((path: string) => void | Promise<void>) | undefined;

  put(path: string, object: KubernetesObject): void {
    this.#version += 1;
    const name = path.split("/").at(-1) ?? "";
    this.#objects.set(path, {
      version: this.#version,
      object: {
        ...object,
        metadata: { name, ...object.metadata, resourceVersion: String(this.#version) },
      },
    });
  }

  get(path: string): KubernetesObject | undefined {
    return this.#objects.get(path)?.object;
  }

  remove(path: string): void {
    this.#objects.delete(path);
  }

  async request(request: ApiRequest): Promise<ApiResponse> {
    if (request.signal?.aborted) throw interrupted("A request to the API server");
    this.requests.push(request);
    const intercepted = await this.intercept?.(request);
    if (intercepted !== undefined) return intercepted;
    const answer = this.#answer(request);
    if (request.method === "PATCH" && request.query?.dryRun === undefined && answer.status < 400)
      await this.afterPatch?.(request.path);
    return answer;
  }

  #answer(request: ApiRequest): ApiResponse {
    const { path, method } = request;
    const body = request.body as KubernetesObject | undefined;
    const found = this.#objects.get(path);
    switch (method) {
      case "GET":
        if (found !== undefined) return json(200, found.object);
        return this.#isCollection(path)
          ? json(200, { items: this.#list(request) })
          : refusal(404, "NotFound");
      case "POST": {
        const target = `${path}/${body?.metadata?.name}`;
        if (this.#objects.has(target)) return refusal(409, "AlreadyExists");
        this.put(target, body ?? {});
        return json(201, this.get(target));
      }
      case "PUT": {
        if (found === undefined) return refusal(404, "NotFound");
        if (body?.metadata?.resourceVersion !== String(found.version)) return refusal(409, "Conflict");
        this.put(path, body);
        return json(200, this.get(path));
      }
      case "DELETE":
        this.#objects.delete(path);
        return found === undefined ? refusal(404, "NotFound") : json(200, {});
      case "PATCH": {
        const { resourceVersion, ...metadata } = body?.metadata ?? {};
        if (resourceVersion !== undefined && resourceVersion !== String(found?.version)) {
          return refusal(409, "Conflict");
        }
        const isMerge = request.contentType === "application/merge-patch+json";
        const patched = merged(found?.object ?? {}, { ...body, metadata });
        const object = (isMerge ? withoutNulls(patched) : patched) as KubernetesObject;
        if (request.query?.dryRun !== undefined) return json(200, object);
        this.put(path, object);
        this.onPatch?.(path, this.get(path) ?? {});
        return json(200, this.get(path));
      }
    }
  }

  #isCollection(path: string): boolean {
    return /\/(pods|endpointslices|events|nodes|replicasets)$/.test(path);
  }

  #list({ path, query }: ApiRequest): KubernetesObject[] {
    const wanted = String(query?.labelSelector ?? "")
      .split(",")
      .filter((term) => term !== "")
      .map((term) => term.split("=") as [string, string]);
    return [...this.#objects]
      .filter(([key]) => key.startsWith(`${path}/`))
      .map(([, { object }]) => object)
      .filter((object) => wanted.every(([key, value]) => object.metadata?.labels?.[key] === value));
  }

  async json<T>(request: ApiRequest): Promise<T> {
    const answer = await this.request(request);
    if (answer.status >= 400) throw asError(answer);
    return JSON.parse(answer.body) as T;
  }

  async find<T>(path: string, options: Omit<ApiRequest, "method" | "path"> = {}): Promise<T | undefined> {
    const answer = await this.request({ ...options, method: "GET", path });
    if (answer.status === 404) return undefined;
    if (answer.status >= 400) throw asError(answer);
    return JSON.parse(answer.body) as T;
  }

  // biome-ignore lint/correctness/useYield: nothing here watches
  async *watch(): AsyncIterable<never> {
    throw new Error("Nothing here watches.");
  }
}

/** What server-side apply makes of an object whose lists are atomic, for an owner who takes nothing back. */
function merged(present: unknown, applied: unknown): unknown {
  if (!isFields(present) || !isFields(applied)) return applied;
  const keys = new Set([...Object.keys(present), ...Object.keys(applied)]);
  return Object.fromEntries(
    [...keys].map((key) => [key, key in applied ? merged(present[key], applied[key]) : present[key]]),
  );
}

/** What a merge patch leaves: what it sets to `null` is gone. */
function withoutNulls(value: unknown): unknown {
  if (!isFields(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, one]) => (one === null ? [] : [[key, withoutNulls(one)]])),
  );
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function json(status: number, body: unknown): ApiResponse {
  return { status, headers: {}, body: JSON.stringify(body) };
}

/** What a bench's cluster does with requests, with something else tried before. */
export function intercepting(
  target: TestBench,
  extra: NonNullable<FakeCluster["intercept"]>,
): NonNullable<FakeCluster["intercept"]> {
  const before = target.cluster.intercept;
  return async (request) => (await extra(request)) ?? (await before?.(request));
}

/** Answers as an API server to an account that lacks a right to these resources. */
export function denying(...resources: readonly string[]): NonNullable<FakeCluster["intercept"]> {
  return ({ path, body }) => {
    if (path.endsWith("/selfsubjectrulesreviews")) return json(201, { status: {} });
    if (!path.endsWith("/selfsubjectaccessreviews")) return undefined;
    const { spec } = body as { spec: { resourceAttributes: { resource: string } } };
    return json(201, { status: { allowed: !resources.includes(spec.resourceAttributes.resource) } });
  };
}

export function refusal(status: number, reason: string, message = reason): ApiResponse {
  return json(status, { kind: "Status", reason, message });
}

function asError(answer: ApiResponse): KubernetesApiError {
  const { reason, message } = JSON.parse(answer.body) as { reason: string; message: string };
  return new KubernetesApiError(answer.status, reason, message);
}

export const testNamespace = "ml";

/** Puts a slot with ready pods into the cluster. */
export function putSlot(
  cluster: FakeCluster,
  slot: Slot,
  about: {
    readonly replicas?: number;
    readonly ready?: number;
    readonly image?: string | null;
    readonly podStatus?: object;
    readonly generation?: number;
    /** Number of the release in the Deployment's label. */
    readonly release?: number | undefined;
    /** What the release says that its answers have. */
    readonly mark?: string | undefined;
  } = {},
): void {
  const replicas = about.replicas ?? 2;
  const ready = about.ready ?? replicas;
  const name = `fraud-${slot}`;
  const labels = { app: "fraud", version: slot };
  const base = `/api/v1/namespaces/${testNamespace}`;
  cluster.put(`${base}/services/${name}`, { spec: { selector: labels } });
  if (about.image !== null) {
    cluster.put(`/apis/apps/v1/namespaces/${testNamespace}/deployments/${name}`, {
      metadata: {
        name,
        uid: `uid of ${name}`,
        generation: about.generation ?? 1,
        annotations: { "deployment.kubernetes.io/revision": "1" },
        ...(about.release === undefined ? {} : { labels: { [releaseLabel]: String(about.release) } }),
      },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: { spec: { containers: [{ image: about.image ?? `fraud:${slot}` }] } },
      },
      status: { observedGeneration: 1, replicas, updatedReplicas: replicas, readyReplicas: ready },
    });
  }
  if (about.image !== null) {
    cluster.put(`/apis/apps/v1/namespaces/${testNamespace}/replicasets/${name}-1`, {
      metadata: {
        uid: `uid of ${name}-1`,
        labels,
        annotations: { "deployment.kubernetes.io/revision": "1" },
        ownerReferences: [{ kind: "Deployment", name, uid: `uid of ${name}` }],
      },
    });
  }
  const pods = Array.from({ length: replicas }, (_, index) => `${name}-${index}`);
  for (const path of podPaths(cluster, slot)) cluster.remove(path);
  for (const [index, pod] of pods.entries()) {
    const isReady = index < ready;
    cluster.put(`${base}/pods/${pod}`, {
      metadata: {
        name: pod,
        labels,
        creationTimestamp: "2026-11-23T07:00:00Z",
        ownerReferences: [{ kind: "ReplicaSet", name: `${name}-1`, uid: `uid of ${name}-1` }],
        ...(about.mark === undefined ? {} : { annotations: { [markAnnotation]: about.mark } }),
      },
      status: {
        phase: isReady ? "Running" : "Pending",
        conditions: [{ type: "Ready", status: isReady ? "True" : "False" }],
        ...(isReady ? {} : about.podStatus),
      },
    });
  }
  cluster.put(`/apis/discovery.k8s.io/v1/namespaces/${testNamespace}/endpointslices/${name}-x`, {
    metadata: { labels: { "kubernetes.io/service-name": name } },
    endpoints: pods.map((pod, index) => ({
      addresses: [`10.0.0.${index}`],
      conditions: { ready: index < ready, serving: index < ready, terminating: false },
      targetRef: { kind: "Pod", name: pod, uid: pod },
    })),
  });
}

function podPaths(cluster: FakeCluster, slot: Slot): string[] {
  return Array.from(
    { length: 20 },
    (_, index) => `/api/v1/namespaces/${testNamespace}/pods/fraud-${slot}-${index}`,
  ).filter((path) => cluster.get(path) !== undefined);
}

const ingressPath = (name: string) =>
  `/apis/networking.k8s.io/v1/namespaces/${testNamespace}/ingresses/${name}`;

/** A stack that writes into the fake cluster what the component would. */
export class FakeStack implements ModelStack {
  readonly operations: {
    readonly name: string;
    readonly desired?: Desired;
    /** What a refresh was for. */
    readonly only?: readonly DeclaredObject[] | undefined;
  }[] = [];
  readonly #cluster: FakeCluster;
  /** Runs before each `up`; may throw. */
  beforeUp: ((desired: Desired) => void | Promise<void>) | undefined;
  /** Runs after each `up` has written; may throw. */
  afterUp: ((desired: Desired) => void | Promise<void>) | undefined;
  /** What the state says: an `up` that wants the same writes nothing. */
  #state: string | undefined;
  #applied: Desired | undefined;
  /** Paths of the routing objects that were written. */
  #routes: readonly string[] = [];

  constructor(cluster: FakeCluster) {
    this.#cluster = cluster;
  }

  preview(desired: Desired) {
    this.operations.push({ name: "preview", desired });
    const isSame = JSON.stringify(desired) === this.#state;
    return Promise.resolve(isSame ? nothing : { ...nothing, changes: [someChange] });
  }

  async up(desired: Desired) {
    await this.beforeUp?.(desired);
    this.operations.push({ name: "up", desired });
    const wanted = JSON.stringify(desired);
    if (wanted !== this.#state) this.#write(desired);
    this.#state = wanted;
    this.#applied = desired;
    await this.afterUp?.(desired);
    return nothing;
  }

  /** The cluster and the state differ from now on. */
  forget(): void {
    this.#state = undefined;
  }

  refresh(desired: Desired, only?: readonly DeclaredObject[]) {
    this.operations.push({ name: "refresh", desired, only });
    this.#state = undefined;
    return Promise.resolve(nothing);
  }

  destroy() {
    this.operations.push({ name: "destroy" });
    return Promise.resolve(nothing);
  }

  /** What the state knows; `undefined`: what was last applied. */
  known: readonly StackResource[] | undefined;
  /** There is no state. */
  isLost = false;

  resources() {
    const applied = this.#applied === undefined ? [] : declaredObjects(this.#applied.spec);
    const resources = applied.map(({ kind, name }) => ({
      kind,
      id: `${testNamespace}/${name}`,
      retained: false,
    }));
    return Promise.resolve(this.known ?? resources);
  }

  async check(): Promise<readonly StackResource[] | undefined> {
    return this.isLost ? undefined : await this.resources();
  }

  exportState() {
    return Promise.resolve(undefined);
  }

  importState() {
    this.operations.push({ name: "import" });
    return Promise.resolve();
  }

  removeState() {
    this.operations.push({ name: "remove state" });
    return Promise.resolve(false);
  }

  hasState() {
    return Promise.resolve(this.#applied !== undefined);
  }

  #write({ spec, routing }: Desired): void {
    const router = routerOf(spec);
    const names = namesOfModel(spec.name, spec.slots, spec.ingress);
    const manifests = router.objects({
      model: spec.name,
      names,
      namespace: spec.namespace,
      routing,
      ingress: spec.ingress,
      previewHeader: spec.previewHeader,
      testers: spec.testers,
      servicePort: 80,
    });
    const paths = router.refs(names).map((ref) => objectPath(testNamespace, ref));
    for (const [index, manifest] of manifests.entries()) {
      this.#cluster.put(paths[index] ?? "", {
        ...manifest,
        status: { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } },
      });
    }
    for (const path of this.#routes.filter((one) => !paths.includes(one))) this.#cluster.remove(path);
    this.#routes = paths;
    for (const slot of slots) {
      const { replicas, image, release, mark } = spec.slots[slot];
      putSlot(this.#cluster, slot, { replicas: replicas ?? 1, image: image ?? null, release, mark });
    }
  }
}

const someChange: ResourceChange = {
  operation: "update",
  urn: "urn",
  kind: "Ingress",
  name: "fraud",
  properties: [],
};

const nothing = { changes: [], same: 0, outputs: {}, durationMs: 0 };

export function testServer(): ModelServer {
  return custom({ identity: { path: "/version", from: { kind: "body" } } });
}

export function testConfig(changes: Partial<ResolvedConfig> = {}): ResolvedConfig {
  return {
    file: "/project/modelswitch.config.ts",
    folder: "/project",
    name: "fraud",
    namespace: testNamespace,
    server: testServer(),
    runs: {
      form: "slots",
      slots: {
        blue: { image: "fraud:blue", replicas: 2 },
        green: { image: "fraud:green", replicas: 2 },
      },
    },
    initialLive: "blue",
    ingress: { host: "fraud.test" },
    endpoints: [],
    controllerReplicas: 3,
    servicePort: 80,
    router: "nginx",
    previewHeader: "X-Modelswitch-Preview",
    identity: undefined,
    kubeconfig: {},
    pulumi: { project: "modelswitch-fraud", stack: "ml", backendUrl: undefined, secretsProvider: undefined },
    deadlines: { readyMs: 60_000, proofMs: 10_000 },
    rollout: resolveRollout(),
    ...changes,
  };
}

export interface TestBench {
  readonly cluster: FakeCluster;
  readonly stack: FakeStack;
  readonly clock: FakeClock;
  readonly events: Event[];
  readonly stop: AbortController;
  /** Routings that were written past Pulumi, in their order. */
  readonly moves: Routing[];
  /** Runs after each of them was written; may throw. */
  afterMove: ((routing: Routing) => void | Promise<void>) | undefined;
  /** Requests at the ingress: what the controller answers for a header value. Replace it to break things. */
  answer: (previewHeader: string | undefined, host: string) => { status: number; body: string };
  /** Answers requests at the ingress before the controller does; may throw. */
  ask: (
    request: ProbeRequest,
  ) => { status: number; body: string; headers?: Readonly<Record<string, string>> } | undefined;
  /** Answers notifications. Replace it to see them, or to fail. */
  receive: (request: SendRequest) => SendAnswer;
  /** Whether the heart of a held lock beats, so that it is renewed and requests to it are heard. @default false */
  beats: boolean;
  /** Whether the process of a lock that is found is known to have ended, as that of a killed command of this machine is. @default false */
  holderIsGone: boolean;
  /** What hooks say. Replace it to fail them. */
  hook: (hook: Hook, subject: CallSubject) => GateVerdict;
  context(config?: ResolvedConfig): RolloutContext;
}

/** A model in a fake cluster behind a fake controller that obeys the routing objects at once. */
export function testBench(): TestBench {
  const cluster = new FakeCluster();
  const clock = new FakeClock();
  const stack = new FakeStack(cluster);
  const events: Event[] = [];
  const stop = new AbortController();
  cluster.put(`/api/v1/namespaces/${testNamespace}`, {});
  cluster.put("/api/v1/nodes/node-1", {
    status: { allocatable: { cpu: "16", memory: "64Gi", pods: "110" } },
  });
  cluster.intercept = ({ path }) => {
    const pod = /\/pods\/fraud-(blue|green)-\d+:\d+\/proxy\/version$/.exec(path);
    return pod === null ? undefined : { status: 200, headers: {}, body: `version of ${pod[1]}` };
  };
  cluster.onPatch = (path, object) => {
    const slot = /\/deployments\/fraud-(blue|green)$/.exec(path)?.[1];
    const { replicas, template } = (object.spec ?? {}) as {
      replicas?: number;
      template?: { spec?: { containers?: { image?: string }[] } };
    };
    const image = template?.spec?.containers?.[0]?.image;
    if (slot === undefined || image === undefined) return;
    const release = object.metadata?.labels?.[releaseLabel];
    putSlot(cluster, slot === "blue" ? "blue" : "green", {
      replicas: replicas ?? 1,
      image,
      release: release === undefined ? undefined : Number(release),
    });
  };
  const answers = new Answers({
    server: cluster.server,
    // What waits beside the rollout must not make its time pass.
    clock: { now: () => clock.now(), sleep: (_ms, signal) => untilAborted(signal) },
    events: (event) => events.push(event),
  });
  const api = answers.watching(cluster);
  // Weighted round robin, as Traefik does it.
  let turn = 0;
  const bench: TestBench = {
    cluster,
    stack,
    clock,
    events,
    stop,
    moves: [],
    afterMove: undefined,
    ask: () => undefined,
    receive: () => ({ status: 200, body: "" }),
    beats: false,
    holderIsGone: false,
    hook: () => ({ verdict: "pass", evidence: "" }),
    answer: (previewHeader) => {
      const objects = ["fraud", "fraud-canary"]
        .map((name) => cluster.get(ingressPath(name)))
        .filter((object) => object !== undefined);
      const routing = nginx.read("fraud", objects as never);
      if (routing === undefined) return { status: 404, body: "" };
      const forced = previewHeader === "always" ? routing.candidate : routing.main;
      if (previewHeader === undefined) turn += routing.weight;
      const isCandidates = previewHeader === undefined && turn >= 100;
      if (isCandidates) turn -= 100;
      const slot = isCandidates ? routing.candidate : forced;
      return { status: 200, body: `version of ${slot}` };
    },
    context: (config = testConfig()) => {
      const lockLost = new AbortController();
      return {
        config,
        namespace: testNamespace,
        kubernetesContext: "test",
        api,
        lists: new Lists(api),
        answers,
        store: new RecordStore(api, testNamespace, config.name),
        clock,
        events: (event) => events.push(event),
        signal: AbortSignal.any([stop.signal, lockLost.signal]),
        operator: "ada@laptop",
        probe,
        requireProbeHeaders: () => Promise.resolve(),
        prometheusHeaders: () => Promise.resolve({}),
        lookup: () => Promise.resolve([{ address: "192.0.2.9" }]),
        calls: {
          clock: { now: () => clock.now(), sleep: (ms, signal) => sleep(ms / 1_000, undefined, { signal }) },
          send: async (request) => bench.receive(request),
          folder: "/",
          env: { PATH: process.env.PATH },
          withheld: [],
          extra: {},
        },
        runHook: (hook, subject) => Promise.resolve(bench.hook(hook, subject)),
        openStack: () => Promise.resolve(stack),
        state: {
          place: () => Promise.resolve({ kind: "folder", why: "there", mayMove: false, isThere: true }),
          moveIn: () => Promise.resolve(),
        },
        prepareSecrets: () => Promise.resolve(),
        prepareEngine: () => Promise.resolve(),
        lockOptions: (command) => ({
          api: cluster,
          namespace: testNamespace,
          model: config.name,
          holder: { operator: "ada@laptop", host: "laptop", pid: 1, command },
          clock: {
            now: () => clock.now(),
            // Heartbeats would move the clock for ever; whoever watches for one does.
            sleep: (ms, signal) => {
              if (ms !== hearMs) return clock.sleep(ms, signal);
              return bench.beats ? clock.whenPassed(ms, signal) : untilAborted(signal);
            },
          },
          events: (event) => events.push(event),
          isGone: () => bench.holderIsGone,
          signal: stop.signal,
          onHeld: (lost) => {
            const lose = () => lockLost.abort(lost.reason);
            lost.addEventListener("abort", lose, { once: true });
            return () => lost.removeEventListener("abort", lose);
          },
        }),
      };
    },
  };
  const probe: Probe = async (request) => {
    await new Promise((resolve) => setImmediate(resolve));
    clock.pass(1);
    const { headers, host } = request;
    return { headers: {}, ...(bench.ask(request) ?? bench.answer(headers["X-Modelswitch-Preview"], host)) };
  };
  cluster.afterPatch = async (path) => {
    if (!path.includes("/ingresses/")) return;
    const [main, canary] = ["fraud", "fraud-canary"].map((name) => cluster.get(ingressPath(name)));
    const router = canary === undefined ? plain : nginx;
    const routing = router.read("fraud", [main, canary].filter((object) => object !== undefined) as never);
    if (routing === undefined) return;
    bench.moves.push(routing);
    await bench.afterMove?.(routing);
  };
  return bench;
}

/** The heartbeat of a lock must not make time pass. */
function untilAborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((_, reject) => {
    const stop = () => reject(interrupted("A wait"));
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/**
 * Makes the controller one with ingress-nginx's rule: where the slot that the main Ingress leads to has no ready endpoint it answers 503
 * before it looks at weight or header of a canary. Source: kubernetes/ingress-nginx, rootfs/etc/nginx/lua/balancer.lua:
 * `get_balancer()` returns nothing for a backend without endpoints, before `route_to_alternative_balancer()` is asked. A stand-in for that
 * rule alone: ingress-nginx itself was not run.
 */
export function asIngressNginx(bench: TestBench): void {
  const shown = bench.answer;
  bench.answer = (header, host) => {
    const main = nginx.read("fraud", [bench.cluster.get(ingressPath("fraud"))] as never)?.main;
    const slices = `/apis/discovery.k8s.io/v1/namespaces/${testNamespace}/endpointslices/fraud-${main}-x`;
    const endpoints = (bench.cluster.get(slices)?.endpoints ?? []) as readonly {
      readonly conditions?: { readonly ready?: boolean };
    }[];
    const isEmpty = !endpoints.some(({ conditions }) => conditions?.ready === true);
    return isEmpty ? { status: 503, body: "" } : shown(header, host);
  };
}
