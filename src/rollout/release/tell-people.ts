import type { CallSubject } from "../../core/calls.ts";
import { exitCodes, messageOf, UserError } from "../../core/errors.ts";
import { headline } from "../../core/headline.ts";
import type { NoticeKind } from "../../core/notices.ts";
import type { Routing } from "../../core/routing.ts";
import { type Notifier, openNotifier } from "../../notifications/notifier.ts";
import { callSubject } from "../context/call-subject.ts";
import type { RolloutContext } from "../context/context.ts";
import { isLive, rolloutOf } from "../record/in-progress.ts";
import type { RolloutRecord } from "../record/record.ts";
import type { RolloutEnd } from "./rollout-end.ts";

/** How long a command waits at its end for people to be told, milliseconds. */
const flushMs = 5_000;

/** Tells the people of the configuration what a rollout does. Nothing of it ever holds, or fails, the rollout. */
export class Teller {
  readonly #context: RolloutContext;
  readonly #notifier: Notifier;
  #subject: CallSubject | undefined;
  #phase: string | undefined;
  #held: string | undefined;
  #looks = 0;
  /** The release was live when this command began: that was told. */
  #wasLive = false;

  constructor(context: RolloutContext) {
    const { config, calls, events } = context;
    this.#context = context;
    this.#notifier = openNotifier({ targets: config.rollout.notifications, io: calls, events });
  }

  /** A look at the rollout: tells that it begins, and of each phase and step. */
  see(record: RolloutRecord, routing: Routing, isNew: boolean): void {
    const entry = rolloutOf(this.#context, record);
    // Notifications are about releases.
    if (entry.kind === "switch") return;
    const { phase, direction, stepIndex, stage } = entry.state;
    this.#subject = callSubject(this.#context, record, entry, routing);
    this.#looks += 1;
    const now = `${direction} ${phase} ${stepIndex}`;
    if (this.#phase === undefined) {
      this.#wasLive = isLive(entry.state);
      if (isNew) this.#tell("started");
      // A command that goes on in the middle of a phase has nothing new to tell.
      this.#phase = isNew || stage !== "during" ? "" : now;
    }
    if (now === this.#phase || stage !== "during") return;
    this.#tell("phase");
    this.#phase = now;
  }

  /** It begins to wait for somebody or the time. Where it did already when this command began, that was told. */
  held(reason: string): void {
    if (reason === this.#held) return;
    this.#held = reason;
    if (this.#looks > 1) this.#tell("held", reason);
  }

  ended(end: RolloutEnd): void {
    switch (end.kind) {
      case "held":
      case "paused":
        // Told when it began to wait.
        break;
      case "live":
        if (!this.#wasLive) this.#tell("finished");
        break;
      case "finished": {
        const { outcome, reason } = end.state;
        if (outcome === "rolled-back") this.#tell("rolled-back", reason);
        else if (outcome === "aborted") this.#tell("failed", reason);
        else if (!this.#wasLive) this.#tell("finished");
      }
    }
  }

  /** The command ends with an error, and somebody has to look. */
  broke(error: unknown): void {
    const isQuiet =
      error instanceof UserError &&
      (error.exitCode === exitCodes.interrupted || error.exitCode === exitCodes.locked);
    if (!isQuiet) this.#tell("failed", headline(messageOf(error)));
  }

  async flush(): Promise<void> {
    await this.#notifier.flush(flushMs);
  }

  #tell(kind: NoticeKind, reason?: string): void {
    if (this.#subject === undefined) return;
    this.#notifier.notify({ kind, subject: this.#subject, ...(reason === undefined ? {} : { reason }) });
  }
}
