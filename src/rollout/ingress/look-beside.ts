import { routerNamed } from "../../component/routers/factory.ts";
import { messageOf, UserError } from "../../core/errors.ts";
import { besidesOf } from "../../core/migration.ts";
import type { Routing } from "../../core/routing.ts";
import { unstoppable } from "../../core/unstoppable.ts";
import type { RolloutContext } from "../context/context.ts";
import type { ProofView } from "../proof/proof.ts";
import type { RolloutRecord } from "../record/record.ts";
import type { ProofSubject } from "./proof-subject.ts";
import { proveRouting } from "./prove-routing.ts";
import { addressesOf, haveSameAddress } from "./ways.ts";

/**
 * On a way back in the middle of a move, clients of the new controller have gone back, too: looks whether it shows that. The clients of the old
 * one are where they should be already, so what is not seen here is said, and holds nothing up.
 */
export async function lookBeside(
  context: RolloutContext,
  record: RolloutRecord,
  subject: ProofSubject,
  routing: Routing,
  only: (view: ProofView) => boolean,
): Promise<void> {
  const { migration } = record;
  // Before that stage no client can be there.
  if (migration?.stage !== "clients" || besidesOf(migration).length === 0) return;
  const { to } = migration;
  const warn = (why: string) =>
    context.events({
      type: "warning",
      code: "beside-unproved",
      message: `Clients who have moved to the router "${to.router}" already may not have gone back: ${why}`,
      hint: "`modelswitch migrate --abort` leads them back to the former router.",
    });
  try {
    const endpoints = await addressesOf(context, record, to);
    if (endpoints === undefined || haveSameAddress(endpoints, subject.endpoints) === true) return;
    const settings = { ...subject.settings, router: to.router, ingress: to.ingress };
    const beside: ProofSubject = { ...subject, settings, router: routerNamed(to.router), endpoints };
    const verdict = await proveRouting(context, beside, routing, {
      id: "prove-beside-back",
      title: `Prove it behind the router "${to.router}" as well`,
      signal: unstoppable,
      only,
    });
    if (verdict.state === "open") warn(verdict.missing.join("; "));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    warn(messageOf(error));
  }
}
