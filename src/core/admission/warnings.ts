/** The texts in `Warning` headers of an API server: `299 - "text"`, several of them after commas. Pure. */
export function warningTexts(header: string | undefined): string[] {
  const quoted = /\d{3} \S+ "((?:[^"\\]|\\.)*)"/g;
  return [...(header ?? "").matchAll(quoted)].map(([, text = ""]) => text.replaceAll(/\\(.)/g, "$1"));
}
