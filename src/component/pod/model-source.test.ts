import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { defaultFetcherImage, modelMount, verifyScript } from "./model-source.ts";

const digest = `sha256:${"a".repeat(64)}`;

describe("how a model comes into the pod", () => {
  test("no model: nothing", () => {
    expect(modelMount(undefined)).toEqual({ volumes: [], mounts: [], initContainers: [] });
  });

  test.each([
    ["s3://models/fraud/1.5", "s3://models/fraud/1.5"],
    ["gs://models/fraud", "gs://models/fraud"],
    ["hf://org/model:main", "hf://org/model:main"],
    ["https://models.example.com/fraud.bin", "https://models.example.com/fraud.bin"],
    ["az://account/container/fraud/1", "https://account.blob.core.windows.net/container/fraud/1"],
  ])("%s is fetched into a folder that the server can only read", (uri, source) => {
    const { volumes, mounts, initContainers } = modelMount({ uri });
    expect(volumes).toEqual([{ name: "model", emptyDir: {} }]);
    expect(mounts).toEqual([{ name: "model", mountPath: "/mnt/models", readOnly: true }]);
    expect(initContainers).toMatchObject([
      { name: "fetch-model", image: defaultFetcherImage, args: [source, "/mnt/models"] },
    ]);
    expect(initContainers[0]).toMatchObject({
      volumeMounts: [{ name: "model", mountPath: "/mnt/models" }],
      securityContext: { allowPrivilegeEscalation: false },
      terminationMessagePolicy: "FallbackToLogsOnError",
    });
  });

  test("a digest is checked after the fetch and before the server, by what the image can do", () => {
    const shell = modelMount({ uri: "s3://b/m", digest }).initContainers;
    expect(shell.map((container) => (container as { name: string }).name)).toEqual([
      "fetch-model",
      "verify-model",
    ]);
    expect(shell[1]).toMatchObject({
      command: ["/bin/sh", "-c", verifyScript("s3://b/m"), "verify-model", "/mnt/models", digest],
      volumeMounts: [{ readOnly: true }],
    });
    const builtIn = modelMount({
      uri: "http://h/m",
      digest,
      mountPath: "/models",
      fetcher: { image: "fetcher:1", verify: "built-in", env: { TOKEN: { secret: "s", key: "k" } } },
    }).initContainers;
    expect(builtIn[0]).toMatchObject({
      env: [{ name: "TOKEN", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }],
    });
    expect(builtIn[1]).toMatchObject({ image: "fetcher:1", args: ["verify", "/models", digest] });
    // Whoever only compares needs no credentials.
    expect(builtIn[1]).not.toHaveProperty("env");
  });

  test("a volume is mounted, not copied", () => {
    expect(modelMount({ uri: "pvc://models/fraud/v2/" })).toEqual({
      volumes: [{ name: "model", persistentVolumeClaim: { claimName: "models", readOnly: true } }],
      mounts: [{ name: "model", mountPath: "/mnt/models", readOnly: true, subPath: "fraud/v2" }],
      initContainers: [],
    });
    expect(modelMount({ uri: "pvc://models", digest }).initContainers).toMatchObject([
      { name: "verify-model" },
    ]);
  });

  test("an image is a volume whose digest the container runtime checks", () => {
    expect(modelMount({ uri: "oci://registry.example.com/models/fraud:2", digest })).toEqual({
      volumes: [
        {
          name: "model",
          image: { reference: `registry.example.com/models/fraud:2@${digest}`, pullPolicy: "IfNotPresent" },
        },
      ],
      mounts: [{ name: "model", mountPath: "/mnt/models", readOnly: true }],
      initContainers: [],
    });
  });

  test("what is no URI of a model is refused", () => {
    expect(() => modelMount({ uri: "ftp://host/model" })).toThrow("unknown scheme ftp://");
  });
});

describe("the digest in the shell", () => {
  const root = mkdtempSync(join(tmpdir(), "modelswitch-digest-"));
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(root, "model-"));
  });

  afterAll(() => rmSync(root, { recursive: true, force: true }));

  const verify = (path: string, wanted: string, uri = "s3://b/m") =>
    spawnSync("/bin/sh", ["-c", verifyScript(uri), "verify-model", path, wanted], { encoding: "utf8" });
  const sha256 = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`;

  test("of one file is the file's", () => {
    writeFileSync(join(folder, "model.bin"), "weights");
    expect(verify(folder, sha256("weights")).status).toBe(0);
    expect(verify(join(folder, "model.bin"), sha256("weights")).status).toBe(0);
    const { status, stderr } = verify(folder, sha256("others"));
    expect(status).toBe(65);
    expect(stderr).toBe(
      `The model in ${folder} has the digest ${sha256("weights")}, but the release says ${sha256("others")}.\n`,
    );
  });

  test("of several is that of the documented command", () => {
    mkdirSync(join(folder, "a b"));
    for (const [name, text] of Object.entries({ "a b/c": "1", "a.d": "2", Z: "3" }))
      writeFileSync(join(folder, name), text);
    const command = "find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum";
    const wanted = execFileSync("sh", ["-c", command], { cwd: folder, encoding: "utf8" }).split(" ")[0];
    expect(verify(folder, `sha256:${wanted}`).status).toBe(0);
    expect(verify(folder, digest).status).toBe(65);
  });

  test("of one from Hugging Face is without the notes of its client", () => {
    writeFileSync(join(folder, "model.bin"), "weights");
    mkdirSync(join(folder, ".cache", "huggingface"), { recursive: true });
    writeFileSync(join(folder, ".cache", "huggingface", "model.bin.metadata"), `${Date.now()}`);
    expect(verify(folder, sha256("weights"), "hf://acme/fraud").status).toBe(0);
    expect(verify(folder, sha256("weights")).status).toBe(65);
  });

  test("of none is no model; of a folder that is not there, a failure", () => {
    expect(verify(folder, digest)).toMatchObject({ status: 65 });
    expect(verify(join(folder, "none"), digest).status).not.toBe(65);
    expect(verify(join(folder, "none"), digest).status).not.toBe(0);
  });

  // The table that the test of go/model-fetcher reads, too: both have to say the same of each model.
  const table = new URL("../../../go/model-fetcher/testdata/links.json", import.meta.url);
  test.each(JSON.parse(readFileSync(table, "utf8")) as LinkedModel[])("of $name", (about) => {
    const { files, links, sees = {}, refused } = about;
    const model = join(folder, "model");
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(model, name)), { recursive: true });
      writeFileSync(join(model, name), text);
    }
    for (const [name, target] of Object.entries(links)) symlinkSync(target, join(model, name));
    const list = Object.keys(sees)
      .sort()
      .map((name) => `${sha256(sees[name] ?? "").slice("sha256:".length)}  ./${name}\n`);
    const { status, stderr } = verify(model, sha256(list.join("")));
    expect(stderr).toContain(refused ?? "");
    expect(status).toBe(refused === undefined ? 0 : 65);
  });
});

interface LinkedModel {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  /** Where each link leads. */
  readonly links: Readonly<Record<string, string>>;
  /** The files of the model, those at the end of links included. */
  readonly sees?: Readonly<Record<string, string>>;
  /** Part of what is said of a model that has no digest. */
  readonly refused?: string;
}
