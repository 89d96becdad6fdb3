import { expect, test } from "vitest";
import { headline, shortened } from "./headline.ts";

test("a headline is the first line, with the next where that only announces it", () => {
  expect(headline("green is not ready: 0 of 2.\npod a: crashes\n  log: password=x")).toBe(
    "green is not ready: 0 of 2.",
  );
  expect(headline("It does not show what is declared:\n  clients see blue\n  more")).toBe(
    "It does not show what is declared: clients see blue",
  );
  expect(headline("It ended:\n  log: password=x")).toBe("It ended:");
});

test("what is long is cut between two characters", () => {
  const cut = shortened("😀".repeat(500));
  expect([...cut]).toHaveLength(400);
  expect(cut).toBe(`${"😀".repeat(399)}…`);
});
