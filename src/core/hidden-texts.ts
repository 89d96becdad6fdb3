/**
 * A text with each of the others replaced in it. The longest first: one that is part of another must not leave the rest of it. Pure.
 */
export function hideTexts(text: string, others: readonly string[], by: string): string {
  const longestFirst = others.toSorted((a, b) => b.length - a.length);
  return longestFirst.reduce((shown, other) => (other === "" ? shown : shown.replaceAll(other, by)), text);
}
