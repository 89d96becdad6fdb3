/** What is done where the nodes have no room for the new pods. */
export const capacityPolicies = ["require", "warn", "skip"] as const;
export type CapacityPolicy = (typeof capacityPolicies)[number];
