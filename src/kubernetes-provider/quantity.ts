const decimal = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"] as const;
const binary = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"] as const;
const nano = 1_000_000_000n;

/**
 * The form in which the API server gives a quantity back (`1024Mi` is `1Gi`, `0.5` is `500m`), so that what was
 * declared and what is there compare equal. Text that is no quantity comes back as it is.
 */
export function canonicalQuantity(text: string): string {
  const canonical = quantityValue(text);
  // Leading zeros are all that it leaves as they were written, where nothing else is to be changed.
  return /^0*$/.test(text) || text.replace(/^0+/, "") !== canonical ? canonical : text;
}

/** The same for all spellings of one quantity. */
export function quantityValue(text: string): string {
  const match = /^([+-]?)(\d+\.?\d*|\.\d+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?$/.exec(text.trim());
  if (match === null) return text;
  const [, sign = "", digits = "", suffix = ""] = match;
  const [whole = "", fraction = ""] = digits.split(".");
  let numerator = BigInt(`${whole}${fraction}` || "0") * nano;
  let denominator = 10n ** BigInt(fraction.length);

  const binaryPower = suffix === "" ? -1 : binary.indexOf(suffix as (typeof binary)[number]);
  const isExponent = /^[eE][+-]?\d+$/.test(suffix);
  if (binaryPower > 0) {
    numerator *= 1024n ** BigInt(binaryPower);
  } else {
    const power = isExponent
      ? Number(suffix.slice(1))
      : (decimal.indexOf(suffix as (typeof decimal)[number]) - 3) * 3;
    if (power >= 0) numerator *= 10n ** BigInt(power);
    else denominator *= 10n ** BigInt(-power);
  }
  // Kubernetes keeps nothing finer than nano and rounds up.
  const nanos = (numerator + denominator - 1n) / denominator;
  if (nanos === 0n) return "0";
  const minus = sign === "-" ? "-" : "";
  if (binaryPower > 0 && nanos >= 1024n * nano) return minus + inBinary((nanos + nano - 1n) / nano);
  return minus + inDecimal(nanos, isExponent);
}

function inBinary(value: bigint): string {
  let rest = value;
  let power = 0;
  while (rest % 1024n === 0n && power < binary.length - 1) {
    rest /= 1024n;
    power++;
  }
  return `${rest}${binary[power]}`;
}

function inDecimal(nanos: bigint, asExponent: boolean): string {
  let rest = nanos;
  let power = 0;
  while (rest % 1000n === 0n && power < decimal.length - 1) {
    rest /= 1000n;
    power++;
  }
  const exponent = (power - 3) * 3;
  if (asExponent) return exponent === 0 ? `${rest}` : `${rest}e${exponent}`;
  return `${rest}${decimal[power]}`;
}
