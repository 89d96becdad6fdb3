import type { ObjectRef } from "../../core/object-kind.ts";
import type { Routing } from "../../core/routing.ts";
import type { Router, RouterInput, RoutingObject } from "./router.ts";

/** One object as it is declared before and after a change of the routing. */
export interface ObjectChange {
  readonly ref: ObjectRef;
  readonly before: RoutingObject | undefined;
  readonly after: RoutingObject;
}

/**
 * The one object that changes between two routings; `undefined`: both say the same. Traffic moves by one write of one object, so steps that
 * would need two are a mistake of whoever made them. Pure.
 */
export function changeBetween(
  router: Router,
  input: Omit<RouterInput, "routing">,
  before: Routing,
  after: Routing,
): ObjectChange | undefined {
  const changes = changesBetween(router, input, before, after);
  if (changes.length > 1) {
    const names = changes.map(({ ref }) => `${ref.kind.kind} ${ref.name}`).join(" and ");
    throw new Error(`One step of the router "${router.name}" would change ${names}.`);
  }
  return changes[0];
}

/**
 * Every object that changes between two routings, the main one first: where two routers say the same, their steps are those of one of them.
 * `before` undefined: nobody knows what they say now, so all of them change as a whole. Pure.
 */
export function changesBetween(
  router: Router,
  input: Omit<RouterInput, "routing">,
  before: Routing | undefined,
  after: Routing,
): readonly ObjectChange[] {
  const refs = router.refs(input.names ?? input.model);
  const was = before === undefined ? [] : router.objects({ ...input, routing: before });
  return router.objects({ ...input, routing: after }).flatMap((object, index): ObjectChange[] => {
    const ref = refs[index];
    if (ref === undefined || same(was[index], object)) return [];
    return [{ ref, before: was[index], after: object }];
  });
}

/** What of an object's spec a change is about: its fields with their new values, `undefined` for those that go. Pure. */
export function changedFieldsOf({ before, after }: ObjectChange): Record<string, unknown> {
  const [was, is] = [fields(before), fields(after)];
  const keys = [...new Set([...Object.keys(was), ...Object.keys(is)])];
  return Object.fromEntries(keys.filter((key) => !same(was[key], is[key])).map((key) => [key, is[key]]));
}

/** The annotations that a change is about, with their new values. Pure. */
export function changedAnnotations({ before, after }: ObjectChange): Record<string, string> {
  return Object.fromEntries(
    Object.entries(after.metadata.annotations).filter(
      ([key, value]) => before?.metadata.annotations[key] !== value,
    ),
  );
}

function fields(object: RoutingObject | undefined): Readonly<Record<string, unknown>> {
  return { ...object?.spec };
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
