/** How inputs and answers of models look over HTTP. One file each. */
export interface Protocol {
  /** The body of a request for an input. Throws UserError where the input cannot be one. */
  readonly body: (input: unknown) => unknown;
  /** The part of an answer that is compared. */
  readonly value: (answer: unknown) => Read;
}

/** What is compared, or why there is nothing. */
export type Read =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "nothing"; readonly why: string };

/** An answer in JSON. Infinities and NaN, which some servers write though JSON has none, are told as what they are. Pure. */
export function readJson(body: string): Read {
  try {
    return { kind: "value", value: JSON.parse(body) };
  } catch {
    const outside = body.replace(/"(?:[^"\\]|\\.)*"/g, '""');
    const found = /-?\b(?:NaN|Infinity|inf|nan)\b/.exec(outside);
    if (found !== null) return { kind: "nothing", why: `the answer has ${found[0]} in place of a number` };
    return { kind: "nothing", why: "the answer is no JSON" };
  }
}
