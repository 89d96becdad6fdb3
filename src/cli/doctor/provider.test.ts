import { expect, test } from "vitest";
import { type ProviderFacts, providerVerdict } from "./provider.ts";

const nothing: ProviderFacts = {
  installed: undefined,
  built: undefined,
  goInstalled: true,
};
const built = { path: "/cache/p", version: "v4.25.0" };

test.each<[string, Partial<ProviderFacts>, RegExp]>([
  ["one that is installed", { installed: "/plugins/p", built }, /^ok: \/plugins\/p/],
  ["a built one is older than the SDK", { built }, /^warning: .*v4\.25\.0, built.*asks for v4\.34\.2/],
  ["nothing yet, with Go", {}, /^warning: .*downloads it, else builds it.*about ten minutes/],
  ["nothing yet, without Go", { goInstalled: false }, /^warning: .*downloads it; .*install Go/],
])("doctor says which Kubernetes provider is used: %s", (_, facts, said) => {
  const { state, detail, hint } = providerVerdict({ ...nothing, ...facts });
  expect(`${state}: ${detail}; ${hint}`).toMatch(said);
});
