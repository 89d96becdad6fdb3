/** Where a URL leads, without what may be secret in it: path, query and user. */
export function placeOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : "an address that is no URL";
}

/** Whether a host is this machine, so that nobody is between. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/** Why an address may not be called; `undefined`: it may. */
export function callUrlProblem(url: string, insecure: boolean): string | undefined {
  if (!URL.canParse(url)) return "is no URL; write for example https://checks.example.com/release";
  const { protocol, hostname, username, password, host } = new URL(url);
  if (protocol !== "https:" && protocol !== "http:") {
    return `has the scheme "${protocol.slice(0, -1)}"; only https and http can be called`;
  }
  if (username !== "" || password !== "") {
    return `has a user or password in it, to ${host}; requests are signed with the key in secret: { env: NAME } instead`;
  }
  if (protocol === "http:" && !insecure && !isLoopback(hostname)) {
    return `leads over http to ${host}, where anybody between can read it and answer in its place; use https, or say insecure: true`;
  }
  return undefined;
}

/** A text without the users and passwords of URLs in it: those of backends, and what a program says of them, may have some. */
export function withoutCredentials(text: string): string {
  return text.replace(/\/\/[^/@\s]+@/g, "//***@");
}
