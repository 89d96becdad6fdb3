import type { UserError } from "./errors.ts";

/** Why a check refused a resource, as data: the error itself may come from another copy of this package. */
export interface Refusal extends Pick<UserError, "code" | "message" | "hint" | "exitCode" | "details"> {
  readonly urn: string;
}

/** Programs that are evaluated afresh have modules of their own, but the same process: so it is kept there. */
const key = Symbol.for("modelswitch.refusals");

interface Holder {
  [key]?: Refusal[];
}

/** Notes why a hook refused a resource, for whoever runs the program in this process: Pulumi's engine passes on text alone. */
export function noteRefusal(urn: string, error: UserError): void {
  const { code, message, hint, exitCode, details } = error;
  (globalThis as Holder)[key]?.push({ urn, code, message, hint, exitCode, details });
}

/** Collects what is refused from now on, until `stop`. */
export function collectRefusals(): { readonly refusals: readonly Refusal[]; stop(): void } {
  const holder = globalThis as Holder;
  const former = holder[key];
  const refusals: Refusal[] = [];
  holder[key] = refusals;
  return {
    refusals,
    stop: () => {
      if (former === undefined) delete holder[key];
      else holder[key] = former;
    },
  };
}
