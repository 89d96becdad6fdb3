import { describe, expect, test } from "vitest";
import { FakeCluster, refusal } from "../../../test/support/rollout-bench.ts";
import { ingressEndpointAnnotation } from "../../core/local-cluster.ts";
import { type EndpointsInput, ingressEndpoints } from "./ingress-endpoints.ts";
import { machineRoutes } from "./routes.ts";

function input(changes: Partial<EndpointsInput>): EndpointsInput {
  return {
    api: new FakeCluster(),
    configured: [],
    ingress: { name: "fraud", className: "nginx", tlsHosts: [], addresses: ["192.0.2.1"] },
    host: "fraud.test",
    lookup: (name) =>
      name === "lb.test"
        ? Promise.resolve([{ address: "192.0.2.7" }, { address: "2001:db8::7" }])
        : Promise.reject(new Error("ENOTFOUND")),
    signal: new AbortController().signal,
    ...changes,
  };
}

const urls = async (changes: Partial<EndpointsInput>) =>
  (await ingressEndpoints(input(changes))).map(({ url }) => url);
const ingress = (addresses: string[], tlsHosts: string[] = []) => ({
  name: "fraud",
  className: "nginx",
  tlsHosts,
  addresses,
});

function annotated(value: string): FakeCluster {
  const cluster = new FakeCluster();
  cluster.put("/apis/networking.k8s.io/v1/ingressclasses/nginx", {
    metadata: { annotations: { [ingressEndpointAnnotation]: value } },
  });
  return cluster;
}

describe("where the ingress is", () => {
  test.each([
    ["configured", { configured: ["http://127.0.0.1:99999"] }],
    ["annotated", { api: annotated("") }],
  ])("what is %s must be a URL", async (_where, changes) => {
    await expect(urls(changes)).rejects.toMatchObject({ code: "ingress-unresolved", exitCode: 2 });
  });

  test("what the configuration says wins", async () => {
    expect(
      await urls({ configured: ["http://127.0.0.1:8080"], api: annotated("http://127.0.0.1:9") }),
    ).toEqual(["http://127.0.0.1:8080"]);
  });

  test("then what the IngressClass says", async () => {
    expect(await urls({ api: annotated("http://127.0.0.1:8193") })).toEqual(["http://127.0.0.1:8193"]);
  });

  test("then every address in the status", async () => {
    expect(await urls({ ingress: ingress(["192.0.2.1", "192.0.2.2"]) })).toEqual([
      "http://192.0.2.1:80",
      "http://192.0.2.2:80",
    ]);
  });

  test("a host name is resolved to all its addresses", async () => {
    expect(await urls({ ingress: ingress(["lb.test"]) })).toEqual([
      "http://192.0.2.7:80",
      "http://[2001:db8::7]:80",
    ]);
  });

  test.each([["fraud.test"], ["*.test"], ["*"]])("TLS for %s means port 443", async (pattern) => {
    expect(await urls({ ingress: ingress(["192.0.2.1"], [pattern]) })).toEqual(["https://192.0.2.1:443"]);
  });

  test("TLS for another host does not", async () => {
    expect(await urls({ ingress: ingress(["192.0.2.1"], ["other.test"]) })).toEqual(["http://192.0.2.1:80"]);
  });

  test("who may not read IngressClasses does without", async () => {
    const api = new FakeCluster();
    api.intercept = () => refusal(403, "Forbidden");
    expect(await urls({ api })).toEqual(["http://192.0.2.1:80"]);
  });

  test("no address is an error that says what to do", async () => {
    await expect(urls({ ingress: ingress([]) })).rejects.toMatchObject({
      code: "ingress-without-address",
      hint: expect.stringContaining("ingress.endpoints"),
    });
  });

  test("a name that does not resolve is an error that names it", async () => {
    await expect(urls({ ingress: ingress(["gone.test"]) })).rejects.toMatchObject({
      code: "ingress-unresolved",
      message: expect.stringContaining("gone.test"),
    });
  });

  test("localhost is this machine's usual address", async () => {
    expect(await urls({ configured: ["http://localhost:8080"] })).toEqual(["http://127.0.0.1:8080"]);
  });
});

describe("addresses without a route", () => {
  const onlyIpv4 = () => {
    const leftOut: string[] = [];
    const routes = {
      leads: async (address: string) => !address.includes(":"),
      leaveOut: (address: string) => void leftOut.push(address),
    };
    return { routes, leftOut };
  };

  test.each<[string, Partial<EndpointsInput>]>([
    ["a name in the status", { ingress: ingress(["lb.test"]) }],
    ["a configured name", { configured: ["http://lb.test"] }],
    ["an annotated name", { api: annotated("http://lb.test") }],
    ["addresses in the status", { ingress: ingress(["192.0.2.7", "2001:db8::7"]) }],
  ])("%s: left out, and said, where there is another way", async (_what, changes) => {
    const { routes, leftOut } = onlyIpv4();
    expect(await urls({ ...changes, routes })).toEqual(["http://192.0.2.7:80"]);
    expect(leftOut).toEqual(["2001:db8::7"]);
  });

  test("kept where it is the only one, or was written down: asking it will say why it fails", async () => {
    const { routes, leftOut } = onlyIpv4();
    expect(await urls({ ingress: ingress(["2001:db8::7"]), routes })).toEqual(["http://[2001:db8::7]:80"]);
    const configured = ["http://[2001:db8::7]", "http://192.0.2.1"];
    expect(await urls({ configured, routes })).toHaveLength(2);
    expect(leftOut).toEqual([]);
  });

  test("this machine knows the way to loopback; an address that is left out is named once", async () => {
    const events: string[] = [];
    const routes = machineRoutes((event) => void events.push(event.type === "warning" ? event.code : ""));
    expect(await routes.leads("127.0.0.1")).toBe(true);
    routes.leaveOut("2001:db8::7");
    routes.leaveOut("2001:db8::7");
    expect(events).toEqual(["ingress-without-route"]);
  });
});
