import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { commands } from "../src/cli/commands/index.ts";
import { documentsJsonSchema } from "../src/cli/documents/index.ts";
import { lineSchema } from "../src/cli/output/event-schema.ts";
import { cliReference } from "../src/cli/reference.ts";
import { configJsonSchema } from "../src/config/report/json-schema.ts";
import { withTables } from "./permission-tables.ts";
import { withRooms } from "./rooms.ts";
import { withCapabilities } from "./router-table.ts";

const root = join(import.meta.dirname, "..");
const docs = join(root, "docs");

/** The documents that are written by `npm run docs`, and checked by a test. */
export function generatedDocuments(): readonly { readonly path: string; readonly text: string }[] {
  return [
    { path: join(docs, "cli.md"), text: cliReference(commands) },
    {
      path: join(docs, "modelswitch.schema.json"),
      text: `${JSON.stringify(configJsonSchema(), undefined, 2)}\n`,
    },
    {
      path: join(docs, "modelswitch-events.schema.json"),
      text: `${JSON.stringify(z.toJSONSchema(lineSchema), undefined, 2)}\n`,
    },
    {
      path: join(docs, "modelswitch-output.schema.json"),
      text: `${JSON.stringify(documentsJsonSchema(), undefined, 2)}\n`,
    },
    {
      path: join(root, "CONTRIBUTING.md"),
      text: withRooms(readFileSync(join(root, "CONTRIBUTING.md"), "utf8")),
    },
    {
      path: join(docs, "routers", "README.md"),
      text: withCapabilities(readFileSync(join(docs, "routers", "README.md"), "utf8")),
    },
    {
      path: join(docs, "security.md"),
      text: withTables(readFileSync(join(docs, "security.md"), "utf8")),
    },
  ];
}
