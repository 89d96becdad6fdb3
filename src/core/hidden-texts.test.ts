import { expect, test } from "vitest";
import { hideTexts } from "./hidden-texts.ts";

test("each of the texts is hidden, whatever it is part of", () => {
  expect(hideTexts("k=abc, l=abcdef, m=abc", ["abc", "abcdef"], "[x]")).toBe("k=[x], l=[x], m=[x]");
  expect(hideTexts("nothing", ["abc", ""], "[x]")).toBe("nothing");
});
