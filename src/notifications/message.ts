import { callId, facts } from "../calls/payload.ts";
import { shortened } from "../core/headline.ts";
import type { Notice } from "../core/notices.ts";

/** What happened, in a sentence. Pure. */
export function sentenceOf({ kind, subject }: Notice): string {
  const { model, namespace, environment, release, slot, phase, stepIndex, split, image } = subject;
  const where = environment === undefined ? namespace : `${namespace}, ${environment}`;
  const what =
    subject.kind === "release"
      ? `Release ${release} of ${model} (${where})`
      : `The rollback of ${model} (${where}) to release ${release}`;
  const shares = `blue ${split.blue} %, green ${split.green} %`;
  switch (kind) {
    case "started":
      return `${what} begins${image === undefined ? "" : `: ${image}`} in ${slot}`;
    case "phase":
      return `${what}: phase ${phase}${phase === "shift" ? `, step ${stepIndex + 1}` : ""}; traffic: ${shares}`;
    case "held":
      return `${what} waits in the phase ${phase}; traffic: ${shares}`;
    case "failed":
      if (subject.direction === "forward")
        return `${what} cannot go on in the phase ${phase}; traffic: ${shares}`;
      return split[slot] === 0
        ? `${what} went back: all traffic is where it was before`
        : `${what} failed; traffic: ${shares}`;
    case "finished":
      return split[slot] === 100
        ? `${what} is done: all traffic is on ${slot}`
        : `${what} is done; traffic: ${shares}`;
    case "rolled-back":
      return `${what} was taken back after it had all traffic; traffic: ${shares}`;
  }
}

/** The body of a notification in the format `generic`. Pure. */
export function genericBody(notice: Notice, at: number): { readonly id: string; readonly body: string } {
  const { kind, subject, reason } = notice;
  const id = noticeId(notice);
  const body = {
    schemaVersion: 1,
    type: "modelswitch.notification",
    id,
    timestamp: new Date(at).toISOString(),
    notice: kind,
    message: sentenceOf(notice),
    reason: reason ?? null,
    ...facts(subject),
  };
  return { id, body: JSON.stringify(body) };
}

/** The same for a command that is run again and tells the same once more. */
export function noticeId({ kind, subject, reason }: Notice): string {
  return callId(subject, "notification", kind, subject.stepIndex, reason ?? "");
}

/** A section of a message in Slack may have 3000 characters. */
const longestReason = 1_500;

const signs: Readonly<Record<Notice["kind"], string>> = {
  started: ":arrow_forward:",
  phase: ":arrow_right:",
  held: ":raised_hand:",
  failed: ":x:",
  finished: ":white_check_mark:",
  "rolled-back": ":leftwards_arrow_with_hook:",
};

/** The body of a message for an incoming webhook of Slack. Pure. */
export function slackBody(notice: Notice): string {
  const { kind, subject, reason } = notice;
  const sentence = escaped(sentenceOf(notice));
  const said =
    reason === undefined ? "" : `\n>${escaped(shortened(reason, longestReason)).replaceAll("\n", "\n>")}`;
  const about = [subject.image, `by ${subject.operator}`].filter((text) => text !== undefined);
  return JSON.stringify({
    // What notifications of Slack show.
    text: sentence,
    blocks: [
      { type: "section", text: { type: "mrkdwn", text: `${signs[kind]} ${sentence}${said}` } },
      { type: "context", elements: about.map((text) => ({ type: "mrkdwn", text: escaped(text) })) },
    ],
  });
}

/** Slack's own three: nothing that a pod or a program says can mention people or make a link. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
