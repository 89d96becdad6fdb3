import { expect, test } from "vitest";
import { UserError } from "./errors.ts";
import { collectRefusals, noteRefusal } from "./refusals.ts";

const refused = new UserError({ code: "slot-not-ready", message: "1 of 2", hint: "Wait." });

test("what is refused while somebody collects is kept with code and hint", () => {
  const outer = collectRefusals();
  const inner = collectRefusals();
  noteRefusal("urn:a", refused);
  inner.stop();
  noteRefusal("urn:b", refused);
  outer.stop();
  noteRefusal("urn:c", refused);
  expect(inner.refusals).toMatchObject([
    { urn: "urn:a", code: "slot-not-ready", hint: "Wait.", exitCode: 1 },
  ]);
  expect(outer.refusals.map(({ urn }) => urn)).toEqual(["urn:b"]);
});
