import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type IdentityAnswer, type IdentityProbe, readIdentity } from "./identity.ts";

const answer = (parts: Partial<IdentityAnswer>): IdentityAnswer => ({
  status: 200,
  headers: {},
  body: "",
  ...parts,
});
const json = (path: string): IdentityProbe => ({ path: "/v2/models/fraud", from: { kind: "json", path } });

describe("readIdentity", () => {
  test("reads a header whatever its case", () => {
    const probe: IdentityProbe = { path: "/", from: { kind: "header", name: "X-Model-Version" } };
    expect(readIdentity(probe, answer({ headers: { "x-model-version": "1.5" } }))).toBe("1.5");
    expect(readIdentity(probe, answer({}))).toBeUndefined();
  });

  test("reads the whole answer, trimmed", () => {
    const probe: IdentityProbe = { path: "/version", from: { kind: "body" } };
    expect(readIdentity(probe, answer({ body: " 1.5\n" }))).toBe("1.5");
    expect(readIdentity(probe, answer({ body: " \n" }))).toBeUndefined();
  });

  test.each([
    ["versions.0", { versions: ["1.5"] }, "1.5"],
    ["versions.0", { versions: [] }, undefined],
    ["versions.0", {}, undefined],
    ["version", { version: 3 }, "3"],
    ["a.b.c", { a: { b: { c: "deep" } } }, "deep"],
    ["a", { a: { b: 1 } }, undefined],
    ["a", { a: null }, undefined],
    ["a", ["x"], undefined],
  ])("finds %s in %j", (path, body, expected) => {
    expect(readIdentity(json(path), answer({ body: JSON.stringify(body) }))).toBe(expected);
  });

  test("finds nothing in an answer that is not JSON", () => {
    expect(readIdentity(json("versions.0"), answer({ body: "<html>" }))).toBeUndefined();
  });

  test("believes no answer but a 2xx", () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 599 }), (status) => {
        const identity = readIdentity({ path: "/", from: { kind: "body" } }, answer({ status, body: "1.5" }));
        expect(identity).toBe(status >= 200 && status <= 299 ? "1.5" : undefined);
      }),
    );
  });

  test("never throws on what a server may say", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (body, path) => {
        readIdentity(json(path), answer({ body }));
      }),
    );
    fc.assert(
      fc.property(fc.json(), fc.string(), (body, path) => {
        readIdentity(json(path), answer({ body }));
      }),
    );
  });
});
