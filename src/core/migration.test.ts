import { describe, expect, test } from "vitest";
import { besidesOf, type Migration, proofHostOf, provedBy, stageAfter, takenBack } from "./migration.ts";

const migration: Migration = {
  from: { router: "nginx", ingress: { host: "fraud.test" }, endpoints: [] },
  to: {
    router: "traefik",
    ingress: { host: "fraud.test", className: "edge" },
    endpoints: ["http://192.0.2.2"],
  },
  stage: "beside",
  startedAt: "2026-12-01T00:00:00Z",
  by: "ada@laptop",
};
const shared: Migration = { ...migration, proofHost: "proof.test" };

describe("a move from one router to another", () => {
  test("what is declared beside the model's own router follows from the stage alone", () => {
    const hosts = (stage: Migration["stage"]) =>
      besidesOf({ ...shared, stage }).map(({ ingress }) => [
        ingress.host,
        ...(ingress.also ?? []).map(({ host }) => host),
      ]);
    expect(hosts("trial")).toEqual([["proof.test"]]);
    expect(hosts("beside")).toEqual([["fraud.test", "proof.test"]]);
    expect(hosts("clients")).toEqual([["fraud.test", "proof.test"]]);
    expect([hosts("removing"), hosts("undoing")]).toEqual([[], []]);
    expect(besidesOf(migration)).toEqual([{ router: "traefik", ingress: migration.to.ingress }]);
    expect(besidesOf(undefined)).toEqual([]);
  });

  test("clients of one controller need not move, all others do", () => {
    expect(stageAfter({ ...shared, stage: "trial" }, true)).toBe("beside");
    expect(stageAfter(shared, true)).toBe("removing");
    expect(stageAfter(shared, false)).toBe("clients");
    // Without a host of its own nothing has shown that it was the new one who answered.
    expect(stageAfter(migration, true)).toBe("clients");
    expect(stageAfter({ ...shared, stage: "removing" }, false)).toBeUndefined();
  });

  test("is taken back at once while nobody can be there, the other way round once clients may be", () => {
    expect(takenBack({ ...shared, stage: "trial" })?.stage).toBe("undoing");
    expect(takenBack(shared)?.stage).toBe("undoing");
    const back = takenBack({ ...shared, stage: "clients" });
    expect(back).toMatchObject({ stage: "clients", isBack: true, from: migration.to, to: migration.from });
    expect(back?.proofHost).toBeUndefined();
    // Asked twice, it does not turn round again.
    expect(back === undefined ? undefined : takenBack(back)).toEqual(back);
    expect(takenBack({ ...shared, stage: "removing" })).toBeUndefined();
  });

  test("the host of the proof has as many labels, and is no name that is too long", () => {
    expect(proofHostOf("fraud.example.com")).toBe("modelswitch-proof-fraud.example.com");
    expect(proofHostOf("*.example.com")).toBe("modelswitch-proof-any.example.com");
    expect(proofHostOf("fraud")).toBe("modelswitch-proof-fraud");
    const [label = ""] = proofHostOf(`${"a".repeat(44)}-${"b".repeat(18)}.test`).split(".");
    expect(label).toHaveLength(62);
  });

  test("the host of the proof has the paths of the first host, and nobody asks for a certificate of it", () => {
    const ingress = {
      host: "fraud.test",
      path: "/v2",
      also: [{ path: "/exact", pathType: "Exact" }, { host: "other.test" }],
      tls: [{ secretName: "cert" }],
    } as const;
    const trial = provedBy(ingress, "proof.test");
    expect(trial).toMatchObject({
      host: "proof.test",
      path: "/v2",
      also: [{ host: "proof.test", path: "/exact", pathType: "Exact" }],
      tls: [{ secretName: "cert", hosts: ["fraud.test", "other.test"] }],
    });
  });
});
