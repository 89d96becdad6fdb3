/** Fewer inputs fix no deciles. */
export const fewestInputs = 100;

/** Of so many inputs live's first predictions fix the bins: a quarter, at most 200. Pure. */
export function firstOf(inputs: number): number {
  return Math.min(200, Math.floor(inputs / 4));
}

/** Pure. */
export function tooFew(file: string, inputs: number): string {
  return `${file} has ${inputs} inputs, too few to tell a drift of predictions: at least ${fewestInputs} are needed`;
}
