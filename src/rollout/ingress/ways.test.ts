import { expect, test } from "vitest";
import type { Endpoint } from "../observe/ingress-endpoints.ts";
import { haveSameAddress } from "./ways.ts";

const at = (...urls: readonly string[]) =>
  urls.map((url): Endpoint => {
    const { protocol, hostname, port } = new URL(url);
    return { protocol: protocol === "https:" ? "https" : "http", address: hostname, port: Number(port), url };
  });

test.each<readonly [string, string[], string[], boolean | undefined]>([
  ["one controller", ["http://10.0.0.1:8080"], ["http://10.0.0.1:8080"], true],
  [
    "one of more places than before",
    ["http://10.0.0.1:8080"],
    ["http://10.0.0.1:8080", "http://10.0.0.2:8080"],
    true,
  ],
  ["two controllers", ["http://10.0.0.1:8080"], ["http://10.0.0.2:8080"], false],
  ["two controllers of one machine", ["http://10.0.0.1:8080"], ["http://10.0.0.1:9080"], false],
  // Clients at the second address would find nobody once the old objects are gone.
  ["some places only", ["http://10.0.0.1:8080", "http://10.0.0.2:8080"], ["http://10.0.0.1:8080"], undefined],
  // The new objects may be served at once where clients are.
  ["one that ends TLS now", ["http://10.0.0.1:8080"], ["https://10.0.0.1:8443"], undefined],
  ["nowhere", ["http://10.0.0.1:8080"], [], undefined],
])("clients who move to %s: the same place for them", (_what, from, to, same) => {
  expect(haveSameAddress(at(...from), at(...to))).toBe(same);
});
