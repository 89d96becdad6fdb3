import { hostname, userInfo } from "node:os";
import { runHook } from "../../calls/ask.ts";
import type { CallIo } from "../../calls/io.ts";
import type { ResolvedConfig } from "../../config/model/types.ts";
import type { CallSubject, GateVerdict, Hook } from "../../core/calls.ts";
import type { Clock } from "../../core/clock.ts";
import type { EventSink } from "../../core/events.ts";
import type { AskSecret } from "../../engine/secrets.ts";
import type { SecretsSource } from "../../engine/stack.ts";
import { hasEnded, processTable, thisProcess } from "../../engine/this-process.ts";
import { abortableReads } from "../../kubernetes/abortable.ts";
import { Answers } from "../../kubernetes/answers.ts";
import type { KubernetesApi } from "../../kubernetes/api.ts";
import { Lists } from "../../kubernetes/lists.ts";
import { askingAgain } from "../../kubernetes/retry-after.ts";
import type { LockOptions } from "../lock/lease.ts";
import type { Lookup } from "../observe/ingress-endpoints.ts";
import { lookupInTime } from "../observe/lookup.ts";
import { machineRoutes, type Routes } from "../observe/routes.ts";
import { type ModelStack, openModelStack } from "../program/model-stack.ts";
import { type ModelState, modelState, sayPlace } from "../program/model-state.ts";
import type { StatePlace } from "../program/state-record.ts";
import { probe } from "../proof/probe.ts";
import { onceRead, probeWith, readProbeHeaders } from "../proof/probe-headers.ts";
import type { Probe } from "../proof/probe-request.ts";
import { RecordStore } from "../record/record-store.ts";
import { callIo } from "./call-io.ts";

/** Everything that work on one model may touch: passed in, so that tests replace it. */
export interface RolloutContext {
  readonly config: ResolvedConfig;
  readonly namespace: string;
  /** Name of the kubeconfig's context, for messages. */
  readonly kubernetesContext: string;
  readonly api: KubernetesApi;
  /** Lists of objects, of each kind none older than the newest object seen. */
  readonly lists: Lists;
  /** Whether the API server answers, and who is told where it does not. */
  readonly answers: Answers;
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly events: EventSink;
  /** Aborts when the user stops the command, or its lock is lost. */
  readonly signal: AbortSignal;
  /** Who works, `user@host`. */
  readonly operator: string;
  readonly probe: Probe;
  /** Makes sure that the headers of the configuration can be sent, before anything is written that is proved with them. */
  requireProbeHeaders(): Promise<void>;
  /** What the Prometheus of the configuration is asked with. */
  prometheusHeaders(): Promise<Readonly<Record<string, string>>>;
  readonly lookup: Lookup;
  /** @default every address can be asked */
  readonly routes?: Routes;
  /** What programs and addresses are called with. */
  readonly calls: CallIo;
  /** Runs a hook of the configuration. Never throws for what the hook does. */
  runHook(hook: Hook, subject: CallSubject, signal: AbortSignal): Promise<GateVerdict>;
  /** Opens the Pulumi stack. The signal, or the loss of the lock, ends a running operation; the events are the context's unless others are given. */
  openStack(signal: AbortSignal, events?: EventSink): Promise<ModelStack>;
  /** Asks for what opening the stack needs, before anything else is done, and says where its state is. */
  prepareSecrets(how?: {
    /** Nothing is going to be written: where there is no state that can be read, none is needed. @default false */
    readonly looks?: boolean;
  }): Promise<void>;
  /** Where Pulumi's state is. Needed by nothing that clients wait for. */
  readonly state: ModelState;
  /** Obtains the programs that opening the stack needs: it may take minutes, so before the lock. A way back does without. */
  prepareEngine(): Promise<void>;
  lockOptions(command: string): LockOptions;
}

export interface RolloutContextOptions {
  readonly config: ResolvedConfig;
  readonly clock: Clock;
  readonly events: EventSink;
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly askSecret: AskSecret;
}

/** The real thing: connects to the configured cluster; sends nothing yet. */
export async function rolloutContext(options: RolloutContextOptions): Promise<RolloutContext> {
  const { config, clock, events, env } = options;
  const { connect } = await import("../../kubernetes/connect.ts");
  const connection = connect(config.kubeconfig);
  const answers = new Answers({ server: connection.api.server, clock, events });
  const watched = answers.watching(askingAgain(connection.api, clock));
  const api = abortableReads(watched, options.signal);
  const namespace = config.namespace ?? connection.namespace;
  const host = hostname();
  const operator = `${userName(env)}@${host}`;
  const calls = callIo({ config, clock, env, kubernetesContext: connection.context });
  const sources = config.probeHeaders ?? {};
  const headers = onceRead(
    () => readProbeHeaders({ sources, api, namespace, env, signal: options.signal }),
    () => clock.now(),
  );
  const prometheusHeaders = onceRead(
    () =>
      readProbeHeaders({
        sources: config.metrics?.prometheus?.headers ?? {},
        ...{ api, namespace, env, signal: options.signal },
      }),
    () => clock.now(),
  );
  let secrets: Promise<SecretsSource> | undefined;
  // Whoever waits, or opens the stack, need not know of the lock: what goes on without it would change what is somebody else's.
  const lockLost = new AbortController();
  const askOnce = () => {
    secrets ??= import("../../engine/secrets.ts").then(({ secretsFromEnvironment }) =>
      secretsFromEnvironment(env, options.askSecret, {
        provider: config.pulumi.secretsProvider,
        backendUrl: config.pulumi.backendUrl,
      }),
    );
    return secrets;
  };
  const store = new RecordStore(api, namespace, config.name);
  let isLooking = false;
  let isSaid = false;
  const sayOnce = (place: StatePlace) => {
    if (!isSaid) sayPlace(events, { config }, place, isLooking);
    isSaid = true;
  };
  /** Whether nobody has to be asked for anything. */
  const isAside = (place: StatePlace) =>
    place.kind === "cluster" || (place.kind === "folder" && !place.isThere && isLooking);
  const openAt = async (place: StatePlace, signal: AbortSignal, sink: EventSink) => {
    const { openKept, openNowhere } = await import("../../engine/open-kept.ts");
    return await openModelStack({
      ...{ config, namespace, api, env, events: sink },
      signal: AbortSignal.any([signal, lockLost.signal]),
      ...(isAside(place)
        ? {
            secrets: { kind: "passphrase", passphrase: "" },
            ...(place.kind === "cluster"
              ? { open: openKept(place.kept) }
              : { open: openNowhere, isUnread: true }),
          }
        : { secrets: await askOnce() }),
    });
  };
  const { signal } = options;
  const about = { config, namespace, api, env, operator, clock, signal, record: () => store.read() };
  const state = modelState(about, (place) => openAt(place, signal, events));
  return {
    config,
    namespace,
    kubernetesContext: connection.context,
    api,
    lists: new Lists(api),
    answers,
    store,
    clock,
    events,
    signal: AbortSignal.any([options.signal, lockLost.signal]),
    operator,
    probe: probeWith(probe, headers, secretHeaders(config)),
    requireProbeHeaders: async () => {
      await headers();
    },
    prometheusHeaders,
    lookup: lookupInTime,
    routes: machineRoutes(events),
    calls,
    runHook: (hook, subject, signal) => runHook(calls, hook, subject, signal),
    state,
    openStack: async (signal, sink = events) => await openAt(await state.place(), signal, sink),
    prepareSecrets: async ({ looks = false } = {}) => {
      isLooking = looks;
      const place = await state.place();
      sayOnce(place);
      if (!isAside(place)) await askOnce();
    },
    prepareEngine: async () => {
      const { prepareEngine } = await import("../../engine/open.ts");
      const { project, backendUrl } = config.pulumi;
      const { folder } = config;
      await prepareEngine({
        ...{ project, folder, env, events, signal: options.signal },
        ...(backendUrl === undefined ? {} : { backendUrl }),
      });
    },
    lockOptions: (command) => ({
      api: watched,
      namespace,
      model: config.name,
      holder: { operator, host, command, ...thisProcess(processTable) },
      clock,
      events,
      isGone: (holder) => hasEnded(holder, processTable),
      signal: options.signal,
      onHeld: (lost) => {
        const lose = () => lockLost.abort(lost.reason);
        lost.addEventListener("abort", lose, { once: true });
        return () => lost.removeEventListener("abort", lose);
      },
    }),
  };
}

/** Headers whose values are no part of the configuration. */
function secretHeaders({ probeHeaders = {} }: ResolvedConfig): string[] {
  return Object.keys(probeHeaders).filter((name) => typeof probeHeaders[name] !== "string");
}

function userName(env: Readonly<Record<string, string | undefined>>): string {
  try {
    return userInfo().username;
  } catch {
    // Containers may run as a number that no user has.
    return env.USER ?? "unknown";
  }
}
