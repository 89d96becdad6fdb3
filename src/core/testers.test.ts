import { expect, test } from "vitest";
import { objectNames } from "./names.ts";
import { cookiePattern, pinCookie, releaseOfCookie, testerRequests } from "./testers.ts";

test.each([
  ["tester=yes", true],
  ["a=1; tester=yes", true],
  ["a=1;tester=yes; b=2", true],
  ["tester=yes; b=2", true],
  ["tester=yes2", false],
  ["xtester=yes", false],
  ["tester=no; other=yes", false],
  ["a=tester=yes", false],
  ["tester=yes.no", false],
])("the cookies %j are a tester's: %s", (header, isTester) => {
  expect(new RegExp(cookiePattern({ name: "tester", value: "yes" })).test(header)).toBe(isTester);
});

test("what is special in patterns stands for itself", () => {
  const pattern = new RegExp(cookiePattern({ name: "my.tester", value: "a+b" }));
  expect(pattern.test("my.tester=a+b")).toBe(true);
  expect(pattern.test("myxtester=aab")).toBe(false);
});

test("a proof asks as each kind of tester does", () => {
  expect(testerRequests({ header: { name: "X-Team", value: "ml" }, cookie: { name: "tester" } })).toEqual([
    { "X-Team": "ml" },
    { Cookie: "tester=always" },
  ]);
});

test("each release has a cookie of its own, which is found again", () => {
  const { ingress } = objectNames("m".repeat(52));
  const cookie = pinCookie(ingress, 12_345);
  expect(releaseOfCookie(ingress, cookie)).toBe(12_345);
  // What objects are called is at most 63 characters long; a cookie's name may be longer.
  expect(cookie.length).toBeLessThanOrEqual(253);
  expect(pinCookie("i".repeat(230), 999_999).length).toBeLessThanOrEqual(253);
  expect([releaseOfCookie("fraud", "modelswitch-fraud-"), releaseOfCookie("fraud", "route")]).toEqual([
    undefined,
    undefined,
  ]);
  expect(releaseOfCookie("fraud", pinCookie("fraud-2", 3))).toBeUndefined();
});
