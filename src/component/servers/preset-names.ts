/** Model servers that can be given by name. */
export const presetNames = [
  "mlserver",
  "triton",
  "vllm",
  "tensorflow-serving",
  "torchserve",
  "bentoml",
  "ray-serve",
  "fastapi",
] as const;
export type PresetName = (typeof presetNames)[number];

/** Presets that know no way to tell blue's answers from green's: the configuration has to say one. */
export const withoutIdentity: readonly string[] = ["torchserve", "ray-serve"];
