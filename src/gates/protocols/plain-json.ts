import type { Protocol } from "./protocol.ts";

/** Any JSON over HTTP: the input is the body, the answer is compared as it is. */
export const plainJson: Protocol = {
  body: (input) => input,
  value: (answer) => ({ kind: "value", value: answer }),
};
