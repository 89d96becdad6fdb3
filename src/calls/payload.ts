import { createHash } from "node:crypto";
import type { CallSubject } from "../core/calls.ts";
import type { RolloutKind } from "../core/rollout/state.ts";
import type { Slot } from "../core/slots.ts";

/** Version of the payload's shape: keys may be added under one number, never removed or changed. */
export const payloadVersion = 1;

/** What a call is about, beside the rollout. */
export type Occasion =
  | { readonly type: "hook"; readonly name: string; readonly when: "before" | "after" }
  | { readonly type: "gate"; readonly name: string };

/** What programs get on their standard input, and addresses as the body of a request. */
export interface CallPayload {
  readonly schemaVersion: typeof payloadVersion;
  readonly type: "modelswitch.hook" | "modelswitch.gate" | "modelswitch.notification";
  /** The same for each try, and where a command that was killed is run again: what has been done need not be done twice. */
  readonly id: string;
  /** When it happened, ISO 8601. */
  readonly timestamp: string;
  /** Of the hook or gate. */
  readonly name: string;
  readonly model: string;
  readonly namespace: string;
  readonly environment: string | null;
  readonly rollout: {
    readonly kind: RolloutKind;
    readonly direction: "forward" | "back";
    readonly startedAt: string;
  };
  readonly release: {
    readonly number: number;
    readonly image: string | null;
    readonly imageDigest: string | null;
    readonly slot: Slot;
  };
  readonly phase: string;
  /** In the phase `shift`: which of its steps, from 1. */
  readonly step: number | null;
  readonly when: "before" | "during" | "after";
  /** Shares of clients' traffic, per cent. */
  readonly split: { readonly blue: number; readonly green: number };
  readonly operator: string;
  /** How clients reach the model. */
  readonly ingress?: {
    readonly host: string;
    readonly path: string;
    /** Where it is asked, for example `http://203.0.113.7:80`. */
    readonly addresses: readonly string[];
  };
  /** The header that leads a request to one slot. Not there where the router has none, or where it leads nobody to the release. */
  readonly preview?: {
    readonly header: string;
    /** Leads to the release. */
    readonly value: string;
    /** Leads to each slot. */
    readonly values: Partial<Record<Slot, string>>;
  };
  readonly services?: Readonly<
    Record<Slot, { readonly name: string; readonly namespace: string; readonly port: number }>
  >;
}

/** `at` is in milliseconds since the Unix epoch. */
export function payloadOf(subject: CallSubject, occasion: Occasion, at: number): CallPayload {
  const when = occasion.type === "hook" ? occasion.when : "during";
  // Each look of a gate is a question of its own; a hook is run once, however often it is tried.
  const looks = occasion.type === "gate" ? [subject.stepIndex, at] : [];
  return {
    schemaVersion: payloadVersion,
    type: `modelswitch.${occasion.type}`,
    id: callId(subject, occasion.type, occasion.name, when, ...looks),
    timestamp: new Date(at).toISOString(),
    name: occasion.name,
    ...facts(subject),
    when,
    ...reachOf(subject),
  };
}

function reachOf({
  reach,
  namespace,
  slot,
}: CallSubject): Pick<CallPayload, "ingress" | "preview" | "services"> {
  if (reach === undefined) return {};
  const { host, path, addresses, preview, services } = reach;
  const value = preview?.values[slot];
  const { blue, green } = services;
  return {
    ingress: { host, path, addresses },
    ...(preview === undefined || value === undefined
      ? {}
      : { preview: { header: preview.header, value, values: preview.values } }),
    services: {
      blue: { name: blue.name, namespace, port: blue.port },
      green: { name: green.name, namespace, port: green.port },
    },
  };
}

/** What every payload says about the rollout. */
export function facts(
  subject: CallSubject,
): Omit<
  CallPayload,
  "schemaVersion" | "type" | "id" | "timestamp" | "name" | "when" | "ingress" | "preview" | "services"
> {
  const { kind, direction, startedAt, image, imageDigest, slot, phase } = subject;
  return {
    model: subject.model,
    namespace: subject.namespace,
    environment: subject.environment ?? null,
    rollout: { kind, direction, startedAt },
    release: {
      number: subject.release,
      image: image ?? null,
      imageDigest: imageDigest ?? null,
      slot,
    },
    phase,
    step: phase === "shift" ? subject.stepIndex + 1 : null,
    split: { blue: subject.split.blue, green: subject.split.green },
    operator: subject.operator,
  };
}

/** The id of what happens in one rollout. No full stop is in it: the signature is made over it, the time and the body. */
export function callId(subject: CallSubject, ...about: readonly (string | number)[]): string {
  const { namespace, model, release, startedAt, direction, phase } = subject;
  const parts = [namespace, model, release, startedAt, direction, phase, ...about];
  return `msg_${createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32)}`;
}

/** The payload's main facts as environment variables, for shell scripts. */
export function variablesOf(payload: CallPayload): Record<string, string | undefined> {
  const { release, rollout, split } = payload;
  return {
    MODELSWITCH_CALL_ID: payload.id,
    MODELSWITCH_CALL_NAME: payload.name,
    MODELSWITCH_MODEL: payload.model,
    MODELSWITCH_NAMESPACE: payload.namespace,
    ...(payload.environment === null ? {} : { MODELSWITCH_ENVIRONMENT: payload.environment }),
    MODELSWITCH_ROLLOUT: rollout.kind,
    MODELSWITCH_DIRECTION: rollout.direction,
    MODELSWITCH_RELEASE: String(release.number),
    MODELSWITCH_IMAGE: release.image ?? "",
    MODELSWITCH_IMAGE_DIGEST: release.imageDigest ?? "",
    MODELSWITCH_SLOT: release.slot,
    MODELSWITCH_PHASE: payload.phase,
    MODELSWITCH_STEP: payload.step === null ? "" : String(payload.step),
    MODELSWITCH_WHEN: payload.when,
    MODELSWITCH_SHARE_BLUE: String(split.blue),
    MODELSWITCH_SHARE_GREEN: String(split.green),
    MODELSWITCH_OPERATOR: payload.operator,
    ...reachVariables(payload),
  };
}

/** What is not known is unset: where a modelswitch is run by another one's hook, it would be that one's. */
function reachVariables(payload: CallPayload): Record<string, string | undefined> {
  const { ingress, preview, services, release } = payload;
  const service = services?.[release.slot];
  return {
    MODELSWITCH_INGRESS_HOST: ingress?.host,
    MODELSWITCH_INGRESS_PATH: ingress?.path,
    MODELSWITCH_INGRESS_ADDRESSES: ingress?.addresses.join(" "),
    MODELSWITCH_PREVIEW_HEADER: preview?.header,
    MODELSWITCH_PREVIEW_VALUE: preview?.value,
    MODELSWITCH_SERVICE: service?.name,
    MODELSWITCH_SERVICE_PORT: service === undefined ? undefined : String(service.port),
  };
}
