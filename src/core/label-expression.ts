/** One requirement of a label selector. */
export interface LabelExpression {
  readonly key?: string;
  readonly operator?: string;
  readonly values?: readonly string[];
}

/** Whether labels meet it, as the API server selects; `undefined`: it is none of the operators of label selectors. Pure. */
export function meetsLabels(
  { key = "", operator, values = [] }: LabelExpression,
  labels: Readonly<Record<string, string>>,
): boolean | undefined {
  const value = labels[key];
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    default:
      return undefined;
  }
}
