import { request } from "undici";

/** A client that keeps its cookies, as browsers do, and notes which version answered. */
export interface CookieClient {
  readonly cookies: Map<string, string>;
  readonly answers: string[];
}

export function newClients(count: number): CookieClient[] {
  return Array.from({ length: count }, () => ({ cookies: new Map(), answers: [] }));
}

/** Has each of them ask once, some at a time. */
export async function askOnce(
  clients: readonly CookieClient[],
  about: { readonly url: string; readonly host: string },
): Promise<void> {
  const waiting = [...clients];
  const one = async () => {
    for (let client = waiting.pop(); client !== undefined; client = waiting.pop()) await ask(client, about);
  };
  await Promise.all(Array.from({ length: 10 }, one));
}

async function ask(
  { cookies, answers }: CookieClient,
  { url, host }: { readonly url: string; readonly host: string },
): Promise<void> {
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  const response = await request(`${url}/v2/models/demo`, {
    headers: { host, ...(cookie === "" ? {} : { cookie }) },
    headersTimeout: 10_000,
  });
  await response.body.dump();
  const version = response.headers["x-model-version"];
  answers.push(typeof version === "string" ? version : `status ${response.statusCode}`);
  for (const line of [response.headers["set-cookie"] ?? []].flat()) {
    const [pair = ""] = line.split(";");
    const at = pair.indexOf("=");
    cookies.set(pair.slice(0, at), pair.slice(at + 1));
  }
}

/** How often a client was answered by another version than before. */
export function movesOf({ answers }: CookieClient): number {
  return answers.filter((version, index) => index > 0 && version !== answers[index - 1]).length;
}
