import { describePath } from "../parts/problem.ts";
import type { ModelswitchConfig } from "./types.ts";
import { configProblems } from "./validate.ts";

export const good = {
  name: "fraud",
  release: { image: "registry.example.com/fraud:1.4" },
  ingress: { host: "mlmodels.example.com" },
} satisfies ModelswitchConfig;

export const twoSlots = {
  name: "fraud",
  slots: { blue: { image: "fraud:1.4" }, green: { image: "fraud:1.5" } },
  ingress: { host: "mlmodels.example.com" },
} satisfies ModelswitchConfig;

/** What is wrong with a configuration, a line each. */
export const lines = (input: unknown) =>
  configProblems(input).map((problem) => `${describePath(problem.path)}: ${problem.message}`);
