import type { CallSubject } from "./calls.ts";

/** What people can be told of. */
export const noticeKinds = ["started", "phase", "held", "failed", "finished", "rolled-back"] as const;
export type NoticeKind = (typeof noticeKinds)[number];

/** Something to tell. */
export interface Notice {
  readonly kind: NoticeKind;
  readonly subject: CallSubject;
  /** Why, for `held`, `failed` and `rolled-back`. */
  readonly reason?: string | undefined;
}

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
  /** Whether the address may be reached over http, on another machine. */
  readonly insecure: boolean;
}
