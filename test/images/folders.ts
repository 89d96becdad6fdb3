import { fileURLToPath } from "node:url";

/** Root of this checkout. */
export const packageFolder = fileURLToPath(new URL("../..", import.meta.url));
