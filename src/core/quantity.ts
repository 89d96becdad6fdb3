/** CPU and memory amounts as Kubernetes writes them, for example `500m`, `2` or `1Gi`. */
export const quantityPattern = /^\d+(\.\d+)?([numkMGTPE]|[KMGTPE]i|[eE][-+]?\d+)?$/;

const factors: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The number that a quantity stands for; `undefined` for what is none. */
export function quantityValue(quantity: unknown): number | undefined {
  const match =
    typeof quantity === "string"
      ? /^(\d+(?:\.\d+)?)(?:([A-Za-z]{1,2})|([eE][-+]?\d+))?$/.exec(quantity)
      : null;
  if (match === null) return undefined;
  if (match[3] !== undefined) return Number(`${match[1]}${match[3]}`);
  const factor = match[2] === undefined ? 1 : factors[match[2]];
  return factor === undefined ? undefined : Number(match[1]) * factor;
}

/** What is wrong with an amount, with what was probably meant; `undefined` for a right one. */
export function quantityProblem(quantity: string): string | undefined {
  if (quantityPattern.test(quantity)) return undefined;
  const shown = JSON.stringify(quantity);
  const match = /^\s*(\d+(?:\.\d+)?)\s*([kKmMgGtTpP])(i?)[bB]?\s*$/.exec(quantity);
  if (match !== null && !quantityPattern.test(quantity)) {
    const [, number, letter = "", binary] = match;
    const upper = letter.toUpperCase();
    const decimal = upper === "K" ? "k" : upper;
    const meant =
      binary === "i" ? `"${number}${upper}i"` : `"${number}${upper}i" (1024) or "${number}${decimal}" (1000)`;
    return `${shown} is no quantity; did you mean ${meant}?`;
  }
  return `${shown} is no quantity; write it as Kubernetes does, for example "500m", "2" or "1Gi"`;
}
