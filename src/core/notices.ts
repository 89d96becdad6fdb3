/** What people can be told of. */
export const noticeKinds = ["started", "phase", "held", "failed", "finished", "rolled-back"] as const;
export type NoticeKind = (typeof noticeKinds)[number];

/** Who is told, of what, and how. */
export interface NotificationTarget {
  /** The URL itself, or the environment variable that has it: the URLs of Slack are secrets. */
  readonly url:
    | { readonly kind: "url"; readonly url: string }
    | { readonly kind: "env"; readonly name: string };
  readonly format: "slack" | "generic";
  readonly on: readonly NoticeKind[];
  /** `generic`: name of the environment variable that has the key of the signature. */
  readonly secretEnv: string | undefined;
}
