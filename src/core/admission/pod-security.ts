/**
 * What Pod Security Admission says of pods before there are any. It enforces on pods alone; of what makes pods it only warns, at the level of
 * the label `warn`, or of `enforce` where that is stricter and `warn` is not set.
 * Source: https://kubernetes.io/docs/concepts/security/pod-security-admission/ and `PolicyToEvaluate` in k8s.io/pod-security-admission/api.
 */

const levels = ["privileged", "baseline", "restricted"] as const;
type Level = (typeof levels)[number];

/** Labels of a namespace; `undefined`: this account may not read them. */
export type NamespaceLabels = Readonly<Record<string, string>> | undefined;

export interface PodSecurityVerdict {
  /** Why pods will be refused; empty: nothing is known against them. */
  readonly refused: readonly string[];
  /** What the namespace only warns of. */
  readonly warned: readonly string[];
  /** What cannot be known without making a pod. */
  readonly unseen: readonly string[];
}

const violation = /would violate PodSecurity "(privileged|baseline|restricted)(?::([^"]+))?"/;

/** What an API server's warnings about a Deployment mean for its pods, by the labels of their namespace. Pure. */
export function podSecurityVerdict(warnings: readonly string[], labels: NamespaceLabels): PodSecurityVerdict {
  const found = warnings.flatMap((text) => {
    const level = violation.exec(text)?.[1];
    return level === undefined ? [] : [{ text, level: rankOf(level) }];
  });
  const texts = found.map(({ text }) => text);
  if (labels === undefined) return { refused: [], warned: texts, unseen: [] };
  const enforced = labels["pod-security.kubernetes.io/enforce"];
  const told = labels["pod-security.kubernetes.io/warn"];
  // Without the label the cluster's own default goes, which nobody can read.
  if (enforced === undefined) return { refused: [], warned: texts, unseen: [] };
  const rank = rankOf(enforced);
  const refused = found.filter(({ level }) => level <= rank).map(({ text }) => text);
  const warned = found.filter(({ level }) => level > rank).map(({ text }) => text);
  const isBlind = refused.length === 0 && rank > 0 && told !== undefined && rankOf(told) < rank;
  // Warnings at a stricter level do not say what the one that is enforced has against the pods.
  const isVague = refused.length === 0 && rank > 0 && warned.length > 0;
  return {
    refused,
    warned,
    unseen:
      isBlind || isVague
        ? [
            `whether the pods keep the level "${enforced}" of pod security, which the namespace enforces${isBlind ? ` and does not warn of (warn: "${told}")` : ""}`,
          ]
        : [],
  };
}

/** A level that is not known is taken for the strictest, as the API server does where it enforces. */
function rankOf(level: string): number {
  const found = levels.indexOf(level as Level);
  return found < 0 ? levels.length - 1 : found;
}

/** Whether a warning is one of pod security. */
export function isPodSecurity(warning: string): boolean {
  return violation.test(warning);
}
