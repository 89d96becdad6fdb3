import { describe, expect, test } from "vitest";
import { FakeCluster, testConfig } from "../../../test/support/rollout-bench.ts";
import type { ResolvedConfig } from "../../config/model/types.ts";
import type { IngressSpec } from "../../core/model.ts";
import type { ProbeRequest } from "../../rollout/proof/probe-request.ts";
import { askIngressOnce, guardsVerdict, liveIngress } from "./ingress-checks.ts";

const nginx = "nginx.ingress.kubernetes.io";

function config(ingress: Partial<IngressSpec> = {}, more: Partial<ResolvedConfig> = {}): ResolvedConfig {
  return testConfig({ ingress: { host: "fraud.test", ...ingress }, ...more });
}

describe("what annotations put in front of the model", () => {
  test.each<[Readonly<Record<string, string>>, string, RegExp]>([
    [{ [`${nginx}/limit-rps`]: "5" }, "at most 5 requests a second", /deadlines\.proof/],
    [{ [`${nginx}/limit-connections`]: "2" }, "at most 2 connections", /deadlines\.proof/],
    [{ [`${nginx}/auth-type`]: "basic" }, "basic authentication", /ingress\.probe\.headers/],
    [
      { [`${nginx}/auth-url`]: "https://u:p@auth.corp/check?token=secret" },
      "asks https://auth.corp/check whether",
      /ingress\.probe\.headers/,
    ],
    [{ [`${nginx}/whitelist-source-range`]: "10.0.0.0/8" }, "only from 10.0.0.0/8", /let through/],
    [{ [`${nginx}/force-ssl-redirect`]: "true" }, "redirects to https", /https:\/\/ADDRESS/],
    [
      { "traefik.ingress.kubernetes.io/router.middlewares": "ml-limit@kubernetescrd" },
      "the middlewares ml-limit@kubernetescrd",
      /not written in the Ingress/,
    ],
  ])("%j is told, with what to do", (annotations, detail, hint) => {
    const verdict = guardsVerdict(config({ annotations }), undefined);
    expect(verdict).toMatchObject({
      state: "warning",
      detail: expect.stringContaining(detail),
      hint: expect.stringMatching(hint),
    });
    expect(JSON.stringify(verdict)).not.toMatch(/secret"|token=|u:p/);
  });

  test.each<[Readonly<Record<string, string>>]>([
    [{}],
    [{ [`${nginx}/force-ssl-redirect`]: "false" }],
    [{ [`${nginx}/ssl-redirect`]: "true" }],
    [{ [`${nginx}/proxy-buffering`]: "on" }],
  ])("%j is nothing in the way", (annotations) => {
    expect(guardsVerdict(config({ annotations }), undefined).state).toBe("ok");
  });

  test("what somebody added by hand counts, too", () => {
    const live = { metadata: { annotations: { [`${nginx}/limit-rpm`]: "60" } } };
    expect(guardsVerdict(config(), live)).toMatchObject({ state: "warning" });
  });

  test("what the configuration has an answer to is no warning", () => {
    const basic = { [`${nginx}/auth-type`]: "basic" };
    const probeHeaders = { Authorization: { env: "TOKEN" } };
    expect(guardsVerdict(config({ annotations: basic }, { probeHeaders }), undefined).state).toBe("ok");
    const tls = { tls: [{ secretName: "cert" }], annotations: { [`${nginx}/ssl-redirect`]: "true" } };
    expect(guardsVerdict(config(tls), undefined).state).toBe("ok");
    const endpoints = ["http://127.0.0.1:8080"];
    expect(guardsVerdict(config(tls, { endpoints }), undefined).state).toBe("warning");
  });
});

describe("one request, as a proof sends it", () => {
  const path = "/apis/networking.k8s.io/v1/namespaces/ml/ingresses/fraud";

  async function ask(
    answer: { status: number; headers?: Record<string, string>; body?: string },
    about: { config?: ResolvedConfig; isThere?: boolean } = {},
  ) {
    const cluster = new FakeCluster();
    if (about.isThere !== false) {
      cluster.put(path, { status: { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } } });
    }
    const signal = new AbortController().signal;
    const sent: ProbeRequest[] = [];
    const verdict = await askIngressOnce(
      about.config ?? config(),
      await liveIngress(cluster, "ml", "fraud", signal),
      {
        api: cluster,
        namespace: "ml",
        probe: async (request) => {
          sent.push(request);
          return { headers: {}, body: "", ...answer };
        },
        env: { TOKEN: "Bearer a-token-of-mine" },
        lookup: async () => [],
        now: () => 0,
        signal,
      },
    );
    return { verdict, sent };
  }

  test("shows who answers", async () => {
    const { verdict, sent } = await ask({ status: 200, body: "1.5" });
    expect(verdict).toEqual({
      state: "ok",
      detail: "GET /version for fraud.test at http://192.0.2.1:80: 1.5",
    });
    expect(sent).toHaveLength(1);
  });

  test.each([
    [{ status: 401 }, "failed", /HTTP 401, asks for credentials/],
    [{ status: 429 }, "warning", /HTTP 429/],
    [{ status: 308, headers: { location: "https://fraud.test/version" } }, "failed", /redirect to https/],
    [{ status: 404 }, "warning", /HTTP 404/],
    [{ status: 503 }, "warning", /no server/],
    [{ status: 200, body: "<html>Log in <input type=password></html>" }, "failed", /a login page/],
  ])("%j is explained", async (answer, state, detail) => {
    const { verdict } = await ask(answer);
    expect(verdict).toMatchObject({ state, detail: expect.stringMatching(detail) });
    expect(verdict.hint).toBeTruthy();
  });

  test("carries the headers of a proof, and does not show them", async () => {
    const probeHeaders = { Authorization: { env: "TOKEN" } };
    const { verdict, sent } = await ask(
      { status: 200, body: "seen: Bearer a-token-of-mine" },
      { config: config({}, { probeHeaders }) },
    );
    expect(sent[0]?.headers).toEqual({ Authorization: "Bearer a-token-of-mine" });
    expect(JSON.stringify(verdict)).not.toContain("a-token-of-mine");
  });

  test("is not sent before there is an Ingress, nor where no path leads to the identity", async () => {
    const { verdict, sent } = await ask({ status: 200 }, { isThere: false });
    expect(verdict.state).toBe("skipped");
    expect(sent).toEqual([]);
    await expect(ask({ status: 200 }, { config: config({ path: "/x" }) })).rejects.toMatchObject({
      code: "identity-path-outside",
    });
  });
});
