import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  adoptPending,
  idOfPendingCreate,
  outputsOf,
  parseState,
  removeHalfWrittenAttributes,
} from "./state-file.ts";

const type = "kubernetes:apps/v1:Deployment";

function resource(name: string, namespace?: string) {
  return {
    urn: `urn:pulumi:dev::p::${type}::${name}`,
    type,
    custom: true,
    inputs: { metadata: { name: `${name}-7f3a`, ...(namespace === undefined ? {} : { namespace }) } },
  };
}

const creating = { type: "creating", resource: resource("created", "models") };
const updating = {
  type: "updating",
  resource: { ...resource("updated", "models"), id: "models/updated-7f3a" },
};
const other = {
  type: "creating",
  resource: { urn: "urn:pulumi:dev::p::aws:s3:Bucket::b", type: "aws:s3:Bucket" },
};

describe("unfinished operations", () => {
  const exported = JSON.stringify({
    version: 3,
    deployment: {
      manifest: {},
      resources: [updating.resource],
      pending_operations: [creating, updating, other],
    },
  });
  const { state, unsure } = adoptPending(exported);

  test("leave the state, and what they may have created enters it with its id", () => {
    expect(JSON.parse(state)).toEqual({
      version: 3,
      deployment: {
        manifest: {},
        resources: [
          updating.resource,
          { ...creating.resource, id: "models/created-7f3a", outputs: creating.resource.inputs },
        ],
      },
    });
  });

  test("name what has to be read again: also objects that were being changed", () => {
    expect(unsure).toEqual([creating.resource.urn, updating.resource.urn]);
  });

  test("have ids only where the provider's rule is known", () => {
    expect(idOfPendingCreate({ type: "creating", resource: resource("wide") })).toBe("wide-7f3a");
    expect(idOfPendingCreate(updating)).toBeUndefined();
    expect(idOfPendingCreate(other)).toBeUndefined();
  });
});

test("outputs come from the stack's resource of the state file, secrets masked", () => {
  const stack = {
    urn: "urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev",
    type: "pulumi:pulumi:Stack",
    outputs: {
      a: 1,
      token: { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "v1:x" },
    },
  };
  const state = parseState(JSON.stringify({ version: 3, checkpoint: { latest: { resources: [stack] } } }));
  expect(outputsOf(state)).toEqual({ a: 1, token: "[secret]" });
  expect(outputsOf(parseState(JSON.stringify({ version: 3, checkpoint: { stack: "x" } })))).toEqual({});
});

test("attributes that a killed CLI did not write to their end are removed, others stay", async () => {
  const folder = await mkdtemp(join(tmpdir(), "modelswitch-state-"));
  const stacks = join(folder, ".pulumi", "stacks", "fraud");
  try {
    await mkdir(stacks, { recursive: true });
    const put = (name: string, text: string) => writeFile(join(stacks, name), text);
    await put("dev.json", "{}");
    await put("dev.json.attrs", "");
    await put("other.json.attrs", "");
    await removeHalfWrittenAttributes(folder, "fraud", "organization/fraud/dev");
    expect((await readdir(stacks)).sort()).toEqual(["dev.json", "other.json.attrs"]);
    await put("dev.json.attrs", JSON.stringify({ "user.content_type": "application/json" }));
    await removeHalfWrittenAttributes(folder, "fraud", "dev");
    expect(await readdir(stacks)).toContain("dev.json.attrs");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
