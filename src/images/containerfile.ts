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
