import { exitCodes, UserError } from "../../core/errors.ts";
import { type Fields, isFields } from "../../core/fields.ts";
import type { PodDefaults } from "../../core/model.ts";

/** The version of the rollout record that this modelswitch writes. */
export const recordVersion = 3;

/**
 * What makes a record of one version one of the next. A record is upgraded when it is read and written back with the next
 * change; nothing of what runs depends on it, so that an upgrade alone never changes a pod.
 */
const upgrades: Readonly<Record<number, (record: Fields) => Fields>> = {
  // 0.1.0 knew no environments, and its pods lack what later versions add to every pod.
  1: (record) => ({ ...record, environment: null, releases: withPodDefaults(record.releases, "0.1.0") }),
  // 0.2.0 knew no modes, approvals, hooks and journals, and did not count rollouts.
  2: (record) => ({
    ...record,
    ...(isFields(record.rollout) ? { rollout: withJournal(record.rollout, countOf(record.rollouts)) } : {}),
    ...(Array.isArray(record.rollouts)
      ? { rollouts: record.rollouts.map((one: Fields, index) => ({ number: index + 1, ...one })) }
      : {}),
  }),
};

function countOf(value: unknown): number {
  return Array.isArray(value) ? value.length : 0;
}

function withJournal(rollout: Fields, ended: number): Fields {
  const plan = isFields(rollout.plan) ? rollout.plan : {};
  const state = isFields(rollout.state) ? rollout.state : {};
  return {
    // One that has ended is the last of those that are listed.
    number: state.phase === "done" ? ended : ended + 1,
    replaces: null,
    changes: [],
    skipped: [],
    journal: [],
    ...rollout,
    plan: {
      mode: { kind: "full" },
      fromReplicas: plan.replicas,
      approval: [],
      hooks: [],
      gates: false,
      ...plan,
    },
    state: {
      stage: "during",
      hooksDone: 0,
      approved: false,
      warmed: 0,
      windowsIgnored: false,
      ...state,
    },
  };
}

function withPodDefaults(releases: unknown, podDefaults: PodDefaults): unknown {
  if (!Array.isArray(releases)) return releases;
  return releases.map((release: unknown) => (isFields(release) ? { ...release, podDefaults } : release));
}

/**
 * The record in the current shape; anything that is no record of an older version comes back as it is.
 * @throws UserError `record-version` (exit code 2) for what a newer modelswitch wrote
 */
export function upgradeRecord(value: unknown, where: string): unknown {
  if (!isFields(value)) return value;
  let record = value;
  const version = record.schemaVersion;
  if (typeof version !== "number") return value;
  if (version > recordVersion) {
    throw new UserError({
      code: "record-version",
      message: `The rollout record in the ConfigMap ${where} has version ${version}, which a newer modelswitch wrote; this one reads versions up to ${recordVersion}.`,
      hint: "Update modelswitch to the version that wrote it, or a newer one.",
      exitCode: exitCodes.usage,
      details: { configMap: where, version, supported: recordVersion },
    });
  }
  for (let from = version; from < recordVersion; from++) {
    const upgrade = upgrades[from];
    if (upgrade === undefined) return value;
    record = { ...upgrade(record), schemaVersion: from + 1 };
  }
  return record;
}
