import { expect, test } from "vitest";
import { printable } from "../../core/printable.ts";
import { printableEvent } from "./printable.ts";

test.each([
  ["\u001b[31mred\u001b[0m", "red"],
  ["\u001b]0;title\u0007text", "text"],
  ["\u001b]8;;https://x\u001b\\link", "link"],
  ["over\rwritten\b\u009b2J", "overwritten2J"],
  ["a\tb\r\nc", "a\tb\nc"],
  ["über 100 %", "über 100 %"],
])("a terminal obeys nothing in %j", (text, expected) => {
  expect(printable(text)).toBe(expected);
});

test("events are shown the same way, and stay what they are", () => {
  const event = { type: "warning", code: "a-code", message: "\u001b[2Jgone" } as const;
  expect(printableEvent(event)).toEqual({ ...event, message: "gone" });
});
