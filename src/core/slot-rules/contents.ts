import { type Fields, isFields } from "../fields.ts";
import { parseModelUri } from "../model-uri.ts";
import { listOf, problem, type SlotProblem } from "./problem.ts";

/** ConfigMaps hold 1 MiB, and the rollout record keeps the files of many releases. */
export const largestConfigFiles = 256 * 1024;

/** What a slot runs beside its image: the model, variables, files, and where they are mounted. */
export function contentsProblems(slot: Fields): SlotProblem[] {
  return [...model(slot), ...environment(slot.env, ["env"]), ...configFiles(slot), ...mounts(slot)];
}

function model({ model }: Fields): SlotProblem[] {
  if (!isFields(model)) return [];
  const { uri, digest, fetcher } = model;
  const found: SlotProblem[] = [];
  if (typeof digest === "string" && !/^sha256:[0-9a-f]{64}$/.test(digest)) {
    found.push(
      problem(
        ["model", "digest"],
        `"${digest}" is no digest: sha256: and 64 hexadecimal digits, as sha256sum writes them`,
      ),
    );
  }
  if (isFields(fetcher)) found.push(...environment(fetcher.env, ["model", "fetcher", "env"]));
  if (typeof uri !== "string" || uri === "") return found;
  const parsed = parseModelUri(uri);
  if (parsed.kind === "invalid") found.push(problem(["model", "uri"], `"${uri}" ${parsed.message}`));
  if (parsed.kind === "image" && fetcher !== undefined)
    found.push(
      problem(
        ["model", "fetcher"],
        "is given, but an oci:// model is mounted by the container runtime; leave it out",
      ),
    );
  if (parsed.kind === "image" && typeof digest === "string" && parsed.image.includes("@"))
    found.push(
      problem(["model", "digest"], "is given, and the oci:// URI has a digest, too; keep one of the two"),
    );
  if (parsed.kind === "claim" && digest === undefined && fetcher !== undefined)
    found.push(
      problem(
        ["model", "fetcher"],
        "is given, but nothing is fetched from a pvc:// model without digest; leave it out",
      ),
    );
  return found;
}

function environment(env: unknown, path: SlotProblem["path"]): SlotProblem[] {
  if (!isFields(env)) return [];
  return Object.entries(env).flatMap(([name, value]) => {
    if (!isFields(value) || !("secret" in value && "configMap" in value)) return [];
    return [problem([...path, name], "names a Secret and a ConfigMap; keep one of the two")];
  });
}

function configFiles({ configFiles }: Fields): SlotProblem[] {
  if (!isFields(configFiles)) return [];
  const found: SlotProblem[] = [];
  let size = 0;
  for (const [path, contents] of Object.entries(configFiles)) {
    if (!isFilePath(path)) {
      found.push(
        problem(
          ["configFiles", path],
          "is no absolute path of a file in the container, for example /etc/model/config.json",
        ),
      );
    }
    if (typeof contents === "string") size += new TextEncoder().encode(contents).length;
  }
  if (size > largestConfigFiles) {
    found.push(
      problem(
        ["configFiles"],
        `are ${Math.ceil(size / 1024)} KiB together, but may be ${largestConfigFiles / 1024}; put large files into the image or the model`,
      ),
    );
  }
  return found;
}

function isFilePath(path: string): boolean {
  return /^(\/[^/]+)+$/.test(path) && !path.split("/").includes("..") && !path.includes(":");
}

function mounts({ model, secrets, configFiles, volumeMounts }: Fields): SlotProblem[] {
  const places: { path: SlotProblem["path"]; at: unknown; name: string }[] = [];
  if (isFields(model)) {
    places.push({ path: ["model", "mountPath"], at: model.mountPath ?? "/mnt/models", name: "the model" });
  }
  for (const [index, mount] of listOf(secrets).entries()) {
    if (isFields(mount))
      places.push({
        path: ["secrets", index, "mountPath"],
        at: mount.mountPath,
        name: `the Secret ${mount.secret}`,
      });
  }
  for (const path of Object.keys(isFields(configFiles) ? configFiles : {}))
    places.push({ path: ["configFiles", path], at: path, name: "a config file" });
  for (const [index, mount] of listOf(volumeMounts).entries()) {
    if (isFields(mount))
      places.push({
        path: ["volumeMounts", index, "mountPath"],
        at: mount.mountPath,
        name: `the volume ${mount.name}`,
      });
  }
  const found: SlotProblem[] = [];
  const taken = new Map<string, string>();
  for (const { path, at, name } of places) {
    if (typeof at !== "string") continue;
    if (!at.startsWith("/") || at === "/") {
      if (path[0] !== "configFiles")
        found.push(problem(path, `"${at}" is no absolute path below /, for example /etc/model`));
      continue;
    }
    const place = at.replace(/\/+$/, "");
    const other = taken.get(place);
    if (other !== undefined)
      found.push(problem(path, `"${at}" is where ${other} is mounted; each needs a place of its own`));
    taken.set(place, name);
  }
  return found;
}
