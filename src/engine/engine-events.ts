import { stripVTControlCharacters } from "node:util";
import type { EngineEvent, StepEventMetadata } from "@pulumi/pulumi/automation/index.js";
import type { UserError } from "../core/errors.ts";
import type { Event, EventSink } from "../core/events.ts";
import { contains, valueAt } from "../core/fields.ts";
import { change, differences, isInternal, presentable, secretPaths, splitPath } from "./property-paths.ts";
import { inOurWords, unreadyReasons } from "./provider-words.ts";
import { isWatchFailure, refusedList } from "./refused-lists.ts";
import type { ResourceChange } from "./stack.ts";

/** A reason that the engine gave, with the resource that it concerns. */
export interface Diagnostic {
  readonly severity: "error" | "warning";
  readonly message: string;
  readonly urn: string | undefined;
  /** It was written, and waited for in vain. @default false */
  readonly unready?: boolean;
}

/** An object that an operation is about. */
export interface EngineObject {
  readonly urn: string;
  readonly kind: string;
  /** The object's own; `undefined`: the provider's default. */
  readonly namespace: string | undefined;
  readonly name: string;
  /** `undefined`: it is not there, as far as the provider knows. */
  readonly uid: string | undefined;
  /** Where its inputs are secret. */
  readonly secretPaths: readonly (readonly (string | number)[])[];
}

/** What an operation did, as far as the engine told. */
export interface Observed {
  readonly changes: readonly ResourceChange[];
  readonly same: number;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly diagnostics: readonly Diagnostic[];
  readonly failed: readonly EngineObject[];
  /** Resources that were updated, and whose outputs are not what was written. */
  readonly behind: readonly string[];
  /** Whether the engine said that the operation ended, in whichever way. */
  readonly ended: boolean;
}

/** Who is told what the provider waits for. */
export interface ProviderWaits {
  /** It waits for this object, which it has written. May be told more than once. */
  begin(about: EngineObject): void;
  end(urn: string): void;
}

type Operation = ResourceChange["operation"];

/** Turns the engine's events into ours while they come in, and keeps what the result of the operation needs. */
export class EngineEvents {
  readonly #events: EventSink;
  readonly #planning: boolean;
  readonly #signal: AbortSignal | undefined;
  readonly #onRefused: (error: (what: string) => UserError) => void;
  readonly #waits: ProviderWaits | undefined;
  readonly #begun = new Map<string, StepEventMetadata>();
  readonly #changes = new Map<string, ResourceChange>();
  readonly #same = new Set<string>();
  readonly #failed = new Map<string, EngineObject>();
  readonly #behind = new Set<string>();
  readonly #diagnostics: Diagnostic[] = [];
  /** Components report more than once. */
  readonly #said = new Set<string>();
  #outputs: Readonly<Record<string, unknown>> = {};
  #ended = false;

  constructor(options: {
    readonly events: EventSink;
    readonly planning: boolean;
    /** What ends the operation: a resource that was waited for has not failed then. */
    readonly signal?: AbortSignal;
    /** The provider waits for what it may not see. */
    readonly onRefused?: (error: (what: string) => UserError) => void;
    /** Told what the provider waits for. */
    readonly waits?: ProviderWaits | undefined;
  }) {
    this.#events = options.events;
    this.#planning = options.planning;
    this.#signal = options.signal;
    this.#onRefused = options.onRefused ?? (() => {});
    this.#waits = options.waits;
  }

  get observed(): Observed {
    return {
      changes: [...this.#changes.values()],
      same: this.#same.size,
      outputs: this.#outputs,
      diagnostics: this.#diagnostics,
      failed: [...this.#failed.values()],
      behind: [...this.#behind],
      ended: this.#ended,
    };
  }

  /** Never throws: it is called from the engine's event stream. */
  readonly receive = (event: EngineEvent): void => {
    if (event.summaryEvent !== undefined) this.#ended = true;
    if (event.diagnosticEvent !== undefined) this.#diagnose(event.diagnosticEvent);
    if (event.resourcePreEvent !== undefined) this.#step(event.resourcePreEvent.metadata, "before");
    if (event.resOutputsEvent !== undefined) this.#step(event.resOutputsEvent.metadata, "after");
    if (event.resOpFailedEvent !== undefined) this.#step(event.resOpFailedEvent.metadata, "failed");
  };

  #step(metadata: StepEventMetadata, moment: "before" | "after" | "failed"): void {
    if (metadata.type === "pulumi:pulumi:Stack") {
      if (metadata.new?.outputs !== undefined) {
        this.#outputs = presentable(metadata.new.outputs) as Record<string, unknown>;
      }
      return;
    }
    if (moment === "before") this.#begun.set(metadata.urn, metadata);
    else this.#waits?.end(metadata.urn);
    if (moment === "failed") this.#failed.set(metadata.urn, objectOf(metadata));
    if (moment === "after" && !this.#planning && isBehind(metadata)) this.#behind.add(metadata.urn);
    const operation = operationOf(metadata);
    if (operation === undefined) return;
    if (operation === "same") {
      if (!isDefaultProvider(metadata) && !this.#changes.has(metadata.urn)) this.#same.add(metadata.urn);
      return;
    }
    if (isDefaultProvider(metadata)) return;
    const properties = propertiesOf(metadata, operation);
    const about = { urn: metadata.urn, ...describe(metadata) };
    if (operation !== "refresh" && moment !== "failed") {
      this.#same.delete(metadata.urn);
      this.#changes.set(metadata.urn, { operation, ...about, properties });
    }
    const status = this.#statusAt(moment);
    const saying = `${status} ${operation} ${metadata.urn}`;
    if (this.#said.has(saying)) return;
    this.#said.add(saying);
    this.#events({
      type: "resource",
      operation,
      ...about,
      status,
      ...(properties.length === 0 ? {} : { changedProperties: properties.map((property) => property.path) }),
      ...(moment === "failed" ? this.#reason(metadata.urn) : {}),
    });
  }

  #statusAt(moment: "before" | "after" | "failed") {
    if (moment === "failed") return this.#signal?.aborted === true ? "interrupted" : "failed";
    if (this.#planning) return "planned";
    return moment === "before" ? "started" : "done";
  }

  #reason(urn: string): { readonly message?: string } {
    const message = this.#diagnostics.findLast((one) => one.urn === urn && one.severity === "error")?.message;
    // That it was stopped is the status; the rest is how the provider noticed.
    if (message === undefined || (this.#signal?.aborted && isCancellation.test(message))) return {};
    return { message };
  }

  #diagnose(diagnostic: NonNullable<EngineEvent["diagnosticEvent"]>): void {
    const said = plainText(diagnostic.message);
    const message = inOurWords(said);
    if (message === "" || isAboutProviderVersion.test(message)) return;
    const refused = refusedList(message);
    if (refused !== undefined) this.#onRefused(refused);
    if (isWatchFailure(message) && diagnostic.severity !== "error") return;
    const urn = diagnostic.urn === undefined || diagnostic.urn === "" ? undefined : diagnostic.urn;
    switch (diagnostic.severity) {
      case "error":
        this.#diagnostics.push({
          severity: "error",
          message,
          urn,
          ...(unreadyReasons(said) === undefined ? {} : { unready: true }),
        });
        return;
      case "warning":
        this.#diagnostics.push({ severity: "warning", message, urn });
        // What the official provider sees while it waits, such as that there are no pods yet: so it is with every Deployment.
        if (diagnostic.ephemeral === true && urn !== undefined) this.#wait(urn, message);
        else this.#events({ type: "warning", code: "pulumi-warning", message: withSubject(urn, message) });
        return;
      case "info":
      case "info#err": {
        const event: Event = { type: "info", message: withSubject(urn, message) };
        if (!diagnostic.ephemeral) this.#events(event);
        else if (urn !== undefined) this.#wait(urn, message);
      }
    }
  }

  /** What a provider waits for is a passing message on the resource that it works on. */
  #wait(urn: string, message: string): void {
    const known = this.#changes.get(urn);
    if (known === undefined || this.#planning) return;
    const { operation, kind, name } = known;
    const begun = this.#begun.get(urn);
    if (begun !== undefined && operation !== "delete") this.#waits?.begin(objectOf(begun));
    this.#events({ type: "resource", operation, urn, kind, name, status: "started", message });
  }
}

/** Said at every operation with a provider that was built, which is older than the SDK; `doctor` says it once. */
const isAboutProviderVersion = /^resource plugin kubernetes is expected to have version /;

const isCancellation = /operation was cancelled|context canceled/i;

/** Removes the CLI's colour tags, for example `<{%fg 1%}>`. */
export function plainText(text: string): string {
  return stripVTControlCharacters(text.replace(/<\{%.*?%\}>/g, "")).trim();
}

/** `kubernetes:networking.k8s.io/v1:Ingress` is an `Ingress`; other types stay as they are. */
export function kindOf(type: string): string {
  return type.startsWith("kubernetes:") ? (type.split(":").at(-1) ?? type) : type;
}

/** Type and name of the resource in a URN. */
export function describeUrn(urn: string): { readonly kind: string; readonly name: string } {
  const [, , types = "", name = urn] = /^urn:pulumi:([^:]*::[^:]*)::(.+?)::(.+)$/.exec(urn) ?? [];
  return { kind: kindOf(types.split("$").at(-1) ?? types), name };
}

/** Kinds that the provider waits for by what it hears of them, and of which it keeps what it heard first. */
const heardOf = /^kubernetes:(networking\.k8s\.io\/v1:Ingress|apps\/v1:Deployment)$/;

/**
 * Whether what the provider took for the object after its write is the one before it: its first list comes from the API server's cache, which may be
 * older. State and cluster would differ then, and the next update would write what is there, or not write what is not.
 */
function isBehind({ op, type, new: now }: StepEventMetadata): boolean {
  const { inputs, outputs } = now ?? {};
  if (op !== "update" || !heardOf.test(type) || outputs === undefined || Object.keys(outputs).length === 0) {
    return false;
  }
  const places = [
    ["metadata", "labels"],
    ["metadata", "annotations"],
    ...(type.endsWith("Ingress") ? [["spec"]] : []),
  ];
  return places.some((place) => {
    const declared = presentable(valueAt(inputs, place));
    return declared !== undefined && !contains(presentable(valueAt(outputs, place)), declared, isAsDeclared);
  });
}

/** What is masked cannot be told, and nothing is declared by null. */
const isAsDeclared = (there: unknown, declared: unknown) =>
  declared === null || [there, declared].includes("[secret]") || there === declared;

function describe(metadata: StepEventMetadata): { readonly kind: string; readonly name: string } {
  const { kind, name } = describeUrn(metadata.urn);
  const inputs = metadata.new?.inputs ?? metadata.old?.inputs;
  const objectName = valueAt(inputs, ["metadata", "name"]);
  return { kind, name: typeof objectName === "string" ? String(presentable(objectName)) : name };
}

function objectOf(metadata: StepEventMetadata): EngineObject {
  const text = (value: unknown) => (typeof value === "string" ? String(presentable(value)) : undefined);
  const known = (path: string[]) =>
    text(valueAt(metadata.new?.inputs, path)) ?? text(valueAt(metadata.old?.inputs, path));
  const uid = ["metadata", "uid"];
  // What is created is another object than the one that it replaces.
  const before = metadata.op.startsWith("create") ? undefined : metadata.old?.outputs;
  return {
    urn: metadata.urn,
    ...describe(metadata),
    namespace: known(["metadata", "namespace"]),
    uid: text(valueAt(metadata.new?.outputs, uid)) ?? text(valueAt(before, uid)),
    secretPaths: secretPaths(metadata.new?.inputs),
  };
}

function withSubject(urn: string | undefined, message: string): string {
  if (urn === undefined) return message;
  const { kind, name } = describeUrn(urn);
  return kind === "pulumi:pulumi:Stack" ? message : `${kind} ${name}: ${message}`;
}

function isDefaultProvider(metadata: StepEventMetadata): boolean {
  return (
    metadata.type.startsWith("pulumi:providers:") && describeUrn(metadata.urn).name.startsWith("default")
  );
}

/** The step as a user sees it; `undefined` for the engine's internal steps (the second half of a replacement). */
function operationOf(metadata: StepEventMetadata): Operation | "same" | "refresh" | undefined {
  switch (metadata.op as string) {
    case "same":
    case "create":
    case "update":
    case "delete":
    case "read":
    case "refresh":
      return metadata.op as Operation | "same" | "refresh";
    case "import":
      return "create";
    case "create-replacement":
    case "import-replacement":
      return "replace";
    case "read-replacement":
      return "read";
    default:
      return undefined;
  }
}

function propertiesOf(
  metadata: StepEventMetadata,
  operation: Operation | "same" | "refresh",
): ResourceChange["properties"] {
  if (operation !== "update" && operation !== "replace") return [];
  const { old: before, new: after } = metadata;
  const detailed = Object.entries(metadata.detailedDiff ?? {}).filter(([path]) => !isInternal(path));
  if (detailed.length === 0) return differences(before?.inputs ?? {}, after?.inputs ?? {});
  return detailed.flatMap(([path, diff]) => {
    const parts = splitPath(path);
    const fresh = valueAt(after?.inputs, parts);
    const declared = valueAt(before?.inputs, parts);
    // What was declared already and differs all the same is not there.
    const otherwise = differences(declared, fresh).length === 0 ? undefined : declared;
    const old = valueAt(diff.inputDiff ? before?.inputs : before?.outputs, parts) ?? otherwise;
    // A path to a whole object: say which of its leaves differ.
    const leaves = differences(old, fresh, parts);
    return leaves.length === 0 ? [change(path, old, fresh)] : leaves;
  });
}
