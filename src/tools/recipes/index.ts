import type { Recipe } from "../source.ts";
import type { ToolName } from "../tool.ts";
import { kubernetesProvider } from "./kubernetes-provider.ts";
import { pulumi } from "./pulumi.ts";

/** Every tool that modelswitch itself obtains; those of local clusters are obtained by their package. */
export const recipes: Readonly<Record<ToolName, Recipe>> = {
  "kubernetes-provider": kubernetesProvider,
  pulumi,
};
