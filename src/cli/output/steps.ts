import type { Event, ResourceEvent, StepEvent } from "../../core/events.ts";

/** A step as it stands. */
export interface StepNode {
  readonly event: StepEvent;
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  readonly children: readonly string[];
}

const doing: Readonly<Record<ResourceEvent["operation"], string>> = {
  create: "Create",
  update: "Update",
  replace: "Replace",
  delete: "Delete",
  read: "Read",
  refresh: "Refresh",
  same: "Keep",
};

/** All steps of a command, in the order in which they started. Resources that Pulumi changes are steps too. */
export class StepTree {
  readonly #nodes = new Map<string, StepNode>();
  #roots: string[] = [];

  /** Takes an event; returns the step that it changed, if any. */
  apply(event: Event, now: number): StepEvent | undefined {
    const step =
      event.type === "step" ? event : event.type === "resource" ? this.#resourceStep(event) : undefined;
    if (step === undefined) return undefined;
    const known = this.#nodes.get(step.id);
    const again = known !== undefined && known.endedAt !== undefined && step.state === "started";
    if (known === undefined || again) this.#add(step, now, again);
    const node = this.#nodes.get(step.id);
    if (node === undefined) return step;
    const over = isOver(step);
    // Progress that stays unsaid in a later event has not gone away, but the end of a step speaks for itself.
    const merged = over ? step : { ...known?.event, ...step };
    this.#nodes.set(step.id, { ...node, event: again ? step : merged, endedAt: over ? now : undefined });
    return step;
  }

  /** Steps without a parent, or whose parent is not known. */
  get roots(): readonly string[] {
    return this.#roots;
  }

  get(id: string): StepNode | undefined {
    return this.#nodes.get(id);
  }

  /** Number of ancestors. */
  depth(id: string): number {
    let depth = 0;
    let parent = this.#parentOf(id);
    while (parent !== undefined && depth < 10) {
      depth += 1;
      parent = this.#parentOf(parent);
    }
    return depth;
  }

  /** Forgets a root and all below it. */
  drop(root: string): void {
    this.#roots = this.#roots.filter((id) => id !== root);
    const forget = (id: string) => {
      const node = this.#nodes.get(id);
      this.#nodes.delete(id);
      for (const child of node?.children ?? []) forget(child);
    };
    forget(root);
  }

  /** Whether a step and all below it are over. */
  isSettled(id: string): boolean {
    const node = this.#nodes.get(id);
    if (node === undefined) return true;
    return node.endedAt !== undefined && node.children.every((child) => this.isSettled(child));
  }

  #add(step: StepEvent, now: number, again: boolean): void {
    const children = again ? (this.#nodes.get(step.id)?.children ?? []) : [];
    this.#nodes.set(step.id, { event: step, startedAt: now, endedAt: undefined, children });
    if (again) return;
    const parent = step.parent === undefined ? undefined : this.#nodes.get(step.parent);
    if (parent === undefined || step.parent === undefined) this.#roots.push(step.id);
    else this.#nodes.set(step.parent, { ...parent, children: [...parent.children, step.id] });
  }

  #parentOf(id: string): string | undefined {
    const parent = this.#nodes.get(id)?.event.parent;
    return parent !== undefined && this.#nodes.has(parent) ? parent : undefined;
  }

  #resourceStep(event: ResourceEvent): StepEvent | undefined {
    // A plan is listed in full by the command's result.
    if (event.operation === "same" || event.status === "planned") return undefined;
    // Pulumi's operations run inside a step; the innermost one that still runs is theirs.
    const id = `resource ${event.operation} ${event.urn}`;
    const known = this.#nodes.get(id)?.event.parent;
    const running = [...this.#nodes.values()].filter(
      (node) => node.endedAt === undefined && !node.event.id.startsWith("resource "),
    );
    const parent = known ?? running.at(-1)?.event.id;
    const title = `${doing[event.operation]} ${event.kind} ${event.name}`;
    const changed = event.changedProperties?.join(", ");
    const detail = event.message ?? changed;
    return {
      type: "step",
      id,
      title,
      state: event.status,
      ...(parent === undefined ? {} : { parent }),
      ...(detail === undefined ? {} : { detail }),
    };
  }
}

export function isOver(step: StepEvent): boolean {
  return step.state !== "started" && step.state !== "progress";
}
