import { type Fields, isFields } from "../../core/fields.ts";

/** What the API server fills in where nothing was said, by the name of the field; as JSON. */
const filledIn: Readonly<Record<string, readonly string[]>> = {
  protocol: ['"TCP"'],
  terminationMessagePath: ['"/dev/termination-log"'],
  terminationMessagePolicy: ['"File"'],
  dnsPolicy: ['"ClusterFirst"'],
  restartPolicy: ['"Always"'],
  schedulerName: ['"default-scheduler"'],
  serviceAccountName: ['"default"'],
  enableServiceLinks: ["true"],
  successThreshold: ["1"],
  timeoutSeconds: ["1"],
  periodSeconds: ["10"],
  failureThreshold: ["3"],
  initialDelaySeconds: ["0"],
  scheme: ['"HTTP"'],
  defaultMode: ["420"],
  apiVersion: ['"v1"'],
  divisor: ['"0"', "0"],
  expirationSeconds: ["3600"],
  minReadySeconds: ["0"],
  revisionHistoryLimit: ["10"],
  recursiveReadOnly: ['"Disabled"'],
  operator: ['"Equal"'],
  ...Object.fromEntries(
    ["readOnly", "optional", "hostNetwork", "hostPID", "hostIPC", "stdin", "stdinOnce", "tty"].map((name) => [
      name,
      ["false"],
    ]),
  ),
};

/** Whether a found value says no more than its absence. */
export function saysNothing(field: string, value: unknown): boolean {
  if (value === undefined || value === null || value === "") return true;
  // An empty volume is a kind of volume.
  if (isFields(value) && field !== "emptyDir")
    return Object.entries(value).every(([key, inner]) => saysNothing(key, inner));
  if (Array.isArray(value)) return value.length === 0;
  return filledIn[field]?.includes(JSON.stringify(value)) === true;
}

/**
 * The paths of what is found and not written the same way; what is written beside it does not count. Lists of things with names are
 * compared by name, others by what is in them. Pure.
 */
export function missing(found: unknown, written: unknown, path: string): string[] {
  const field = /([^.[\]]*)(\[[^\]]*\])?$/.exec(path)?.[1] ?? "";
  if (written === undefined && saysNothing(field, found)) return [];
  if (isFields(found)) {
    if (!isFields(written)) return [path];
    return Object.entries(found).flatMap(([key, value]) => missing(value, written[key], `${path}.${key}`));
  }
  if (Array.isArray(found)) {
    const list: readonly unknown[] = Array.isArray(written) ? written : [];
    return found.flatMap((one: unknown, index) => {
      const key = keyOf(one);
      const same = list.filter((other) => key !== undefined && keyOf(other) === key);
      const [named] = same;
      if (named !== undefined) return missing(one, named, `${path}[${key}]`);
      const isThere = list.some((other) => missing(one, other, path).length === 0);
      return isThere ? [] : [`${path}[${key ?? index}]`];
    });
  }
  return JSON.stringify(found) === JSON.stringify(written) ? [] : [path];
}

/** What tells one element of a list from the others, as Kubernetes does when it merges them. */
function keyOf(one: unknown): string | undefined {
  if (!isFields(one)) return undefined;
  const { mountPath, containerPort, port, protocol = "TCP", name } = one as Fields;
  const number = containerPort ?? port;
  if (typeof number === "number") return `${number}/${String(protocol)}`;
  if (typeof mountPath === "string") return mountPath;
  return typeof name === "string" ? name : undefined;
}
