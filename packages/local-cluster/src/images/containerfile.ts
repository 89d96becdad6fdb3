import { hashOf } from "./content-hash.ts";

/**
 * Full names of the images that a Containerfile builds on, in order, without `scratch` and the stages it names
 * itself. Names made of build arguments are left out: only the builder can tell them.
 */
export function baseImages(containerfile: string): string[] {
  const stages = new Set<string>();
  const found: string[] = [];
  for (const line of containerfile.replace(/\\\r?\n/g, " ").split(/\r?\n/)) {
    const match = /^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?\s*$/i.exec(line);
    const name = match?.[1];
    if (name === undefined) continue;
    if (name !== "scratch" && !stages.has(name) && !name.includes("$")) found.push(fullName(name));
    if (match?.[2] !== undefined) stages.add(match[2]);
  }
  return [...new Set(found)];
}

/** `python:3.11-slim` → `docker.io/library/python:3.11-slim`, as every container tool reads it. */
export function fullName(name: string): string {
  const [first = "", ...rest] = name.split("/");
  const hasRegistry = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  const path = hasRegistry ? name : rest.length > 0 ? `docker.io/${name}` : `docker.io/library/${name}`;
  const last = path.split("/").at(-1) ?? "";
  return /[:@]/.test(last) ? path : `${path}:latest`;
}

/** Label that makes a step another one where a build argument has another value. */
const argumentsLabel = "io.github.modelswitch.build-arguments";

/**
 * The Containerfile with a label after each ARG that is given a value: buildah compares ENV, LABEL and the like by how they are
 * written, and would take the layer of another value for them. What comes before the first such ARG stays shared.
 */
export function withArgumentsInKeys(containerfile: string, given: Readonly<Record<string, string>>): string {
  const lines = containerfile.split(/\r?\n/);
  // An escaped line break joins lines, and a here-document is text.
  const result: string[] = [];
  let isStage = false;
  for (let index = 0; index < lines.length; index++) {
    const first = index;
    let instruction = lines[index] ?? "";
    const isComment = (line: string) => /^\s*#/.test(line);
    while (!isComment(lines[first] ?? "") && continues(instruction) && index + 1 < lines.length) {
      index++;
      const next = lines[index] ?? "";
      if (!isComment(next) && next.trim() !== "")
        instruction = `${instruction.replace(/\\\s*$/, " ")}${next}`;
    }
    for (const end of hereDocumentEnds(instruction)) {
      while (index + 1 < lines.length && (lines[index] ?? "").replace(/^\t+/, "").trimEnd() !== end) index++;
    }
    result.push(...lines.slice(first, index + 1));
    if (/^\s*FROM\s/i.test(instruction)) isStage = true;
    const names = isStage ? argumentNames(instruction).filter((name) => given[name] !== undefined) : [];
    if (names.length > 0) {
      const key = hashOf(...names.flatMap((name) => [name, given[name] ?? ""])).slice(0, 16);
      result.push(`LABEL ${argumentsLabel}.${names.join(".").toLowerCase()}="${key}"`);
    }
  }
  return result.join("\n");
}

function continues(line: string): boolean {
  return /\\\s*$/.test(line);
}

function hereDocumentEnds(instruction: string): string[] {
  if (!/^\s*(RUN|COPY|ADD)\s/i.test(instruction)) return [];
  return [...instruction.matchAll(/<<-?\s*["']?(\w+)["']?/g)].map(([, end = ""]) => end);
}

/** `ARG A B=2` declares A and B. */
function argumentNames(instruction: string): string[] {
  const declared = /^\s*ARG\s+(.*)$/is.exec(instruction)?.[1] ?? "";
  return [...declared.matchAll(/(?:^|\s)([A-Za-z_]\w*)(?:=(?:"[^"]*"|'[^']*'|\S)*)?/g)].map(
    ([, name = ""]) => name,
  );
}
