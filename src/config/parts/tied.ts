import type { z } from "zod";
import type { Difference } from "../../core/differences.ts";

/**
 * The schema itself, tied to the type of what it checks: a key, a list or a choice that only one of the two has does not compile. The
 * compiler's message ends with where they differ, for example `deadlines.proof: in the type alone`.
 */
export function tied<Type>() {
  return <Schema extends z.ZodType>(
    schema: Schema &
      ([Difference<z.output<Schema>, Type>] extends [never]
        ? unknown
        : { readonly differs: Difference<z.output<Schema>, Type> }),
  ): Schema => schema;
}
