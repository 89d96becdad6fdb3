import type { Adoption } from "../record/adoption.ts";
import type { RolloutRecord } from "../record/record.ts";
import type { Described } from "./describe.ts";
import type { Discovered } from "./discovered.ts";

/** What `adopt` would do, decided but not begun. */
export type PreparedAdoption =
  | { readonly state: "done"; readonly adoption: Adoption }
  /** A former run was stopped: the record says how far the way is. */
  | { readonly state: "resume"; readonly adoption: Adoption; readonly record: RolloutRecord }
  | {
      readonly state: "begin";
      readonly adoption: Adoption;
      readonly record: RolloutRecord;
      readonly found: Discovered;
      readonly described: Described;
    };
