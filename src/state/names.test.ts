import fc from "fast-check";
import { expect, test } from "vitest";
import { modelNamePattern } from "../core/names.ts";
import { allStateNames, stateNames } from "./names.ts";

/** What the API server accepts as the name of a Secret (RFC 1123). */
const secretName = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

test("the Secrets of a model's stack are named after both", () => {
  const { head, parts } = stateNames("fraud", { project: "modelswitch-fraud", stack: "production" });
  expect(head).toBe("fraud-modelswitch.production");
  expect(parts.a[0]).toBe("fraud-modelswitch.production.a0");
  expect(parts.b.at(-1)).toBe("fraud-modelswitch.production.b15");
});

test("any model and stack have valid names, and no two stacks of a model the same", () => {
  const stack = fc.stringMatching(/^[\w.-]{1,100}$/);
  const project = fc.oneof(fc.constant("modelswitch-fraud"), stack);
  fc.assert(
    fc.property(
      fc.tuple(project, stack),
      fc.tuple(project, stack),
      fc.stringMatching(modelNamePattern),
      (one, other, model) => {
        const [first, second] = [one, other].map(([of, name]) =>
          stateNames(model, { project: of, stack: name }),
        );
        for (const name of first === undefined ? [] : allStateNames(first)) expect(name).toMatch(secretName);
        if (first === undefined || second === undefined) throw new Error("there are two");
        const shared = allStateNames(first).filter((name) => allStateNames(second).includes(name));
        expect(shared.length > 0).toBe(one.join("/") === other.join("/"));
      },
    ),
  );
});
