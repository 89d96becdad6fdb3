import { fileURLToPath } from "node:url";

/** Root of the installed package: the folder that holds `go` and `images`. */
export const packageFolder = fileURLToPath(new URL("../..", import.meta.url));
