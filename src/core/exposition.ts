/** One sample of the text format of Prometheus or OpenMetrics. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** NaN where what stands there is no number. */
  readonly value: number;
}

/** A name, labels or none, a value, a time or none, and in OpenMetrics an example after a `#`. */
const plain = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[^"{}]|"(?:[^"\\]|\\.)*")*)\})?[ \t]+([^\s#]+)/;
/** The name may stand quoted among the labels, where it has other characters than names used to have. */
const quoted = /^\{[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*,?((?:[^"{}]|"(?:[^"\\]|\\.)*")*)\}[ \t]+([^\s#]+)/;
const label = /([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"/g;

/** The sample of a line; `undefined`: it is a comment, empty, or not of this format. Pure. */
export function sampleOf(line: string): Sample | undefined {
  if (line.startsWith("#")) return undefined;
  const found = plain.exec(line) ?? quoted.exec(line);
  if (found === null) return undefined;
  const [, name = "", labels = "", value] = found;
  const pairs = [...labels.matchAll(label)].map(([, key = "", text = ""]) => [key, unescaped(text)] as const);
  return { name, labels: Object.fromEntries(pairs), value: Number(value) };
}

/** The samples of the metrics named. Pure. */
export function samplesOf(text: string, names: ReadonlySet<string>): Sample[] {
  return text.split("\n").flatMap((line) => {
    // Most lines are of other metrics: their labels need not be read.
    const name = /^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(line)?.[0];
    if (name === undefined || !names.has(name)) return [];
    const sample = sampleOf(line);
    return sample === undefined ? [] : [sample];
  });
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_, character: string) => (character === "n" ? "\n" : character));
}
