import { type EnsureToolOptions, ensureRecipe, type Recipe, type Tool } from "../../src/support.ts";
import { contour } from "./contour.ts";
import { envoy } from "./envoy.ts";
import { envoyGateway } from "./envoy-gateway.ts";

/** Programs that only tests use: no part of what is published. They are kept where the product's are. */
const testRecipes = { contour, envoy, "envoy-gateway": envoyGateway } satisfies Record<string, Recipe>;

export type TestToolName = keyof typeof testRecipes;

/** As `ensureTool` of the product. */
export const ensureTestTool = (name: TestToolName, options: EnsureToolOptions): Promise<Tool> =>
  ensureRecipe(testRecipes[name], options);
