/** Writes what the documentation takes from the code: the commands' reference and the configuration's JSON schema. */
import { writeFileSync } from "node:fs";
import { generatedDocuments } from "./generated-documents.ts";

for (const { path, text } of generatedDocuments()) {
  writeFileSync(path, text);
  console.log(`Wrote ${path}`);
}
