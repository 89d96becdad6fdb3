import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { chosen, clusterFile, withPath } from "./kubeconfig.ts";

const config = {
  "current-context": "dev",
  clusters: [{ name: "a", cluster: { server: "https://a", "certificate-authority": "pki/ca.crt" } }],
  users: [
    { name: "u", user: { "client-key": "/abs/key", tokenFile: "token", exec: { command: "bin/login" } } },
    { name: "v", user: { exec: { command: "aws" } } },
  ],
  contexts: [
    { name: "dev", context: { cluster: "a", user: "u" } },
    { name: "prod", context: { cluster: "a", user: "u" } },
  ],
};

describe("the chosen cluster", () => {
  test("is the kubeconfig's with the choice made, and files absolute", () => {
    expect(chosen(config, { context: "prod", cluster: "b" }, "/home/ada/.kube")).toEqual({
      ...config,
      "current-context": "prod",
      clusters: [
        {
          name: "a",
          cluster: { server: "https://a", "certificate-authority": "/home/ada/.kube/pki/ca.crt" },
        },
      ],
      users: [
        {
          name: "u",
          user: {
            "client-key": "/abs/key",
            tokenFile: "/home/ada/.kube/token",
            exec: { command: "/home/ada/.kube/bin/login" },
          },
        },
        { name: "v", user: { exec: { command: "aws" } } },
      ],
      contexts: [
        { name: "dev", context: { cluster: "a", user: "u" } },
        { name: "prod", context: { cluster: "b", user: "u" } },
      ],
    });
  });

  test("is the user's own file where only that is named", async () => {
    expect((await clusterFile({ path: "/k" })).path).toBe("/k");
    expect((await clusterFile({})).path).toBeUndefined();
  });

  test("is a file for this user alone, gone afterwards", async () => {
    const file = await clusterFile({ contents: JSON.stringify(config), context: "prod" });
    expect(parse(readFileSync(file.path ?? "", "utf8"))).toMatchObject({ "current-context": "prod" });
    await file.remove();
    expect(existsSync(file.path ?? "")).toBe(false);
  });

  test("does not depend on a later change of the environment", () => {
    expect(withPath({ context: "prod" }, { KUBECONFIG: "/k" })).toEqual({ context: "prod", path: "/k" });
    expect(withPath({ context: "prod" }, { HOME: "/home/ada" }).path).toBe("/home/ada/.kube/config");
    expect(withPath({ context: "prod" }, { KUBECONFIG: "/k:/l" }).path).toBeUndefined();
    expect(withPath({}, { KUBECONFIG: "/k" })).toEqual({});
  });
});
