/** What has keys and values and nothing is known of them yet: an object of JSON, YAML or a configuration. */
export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
