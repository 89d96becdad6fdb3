import { z } from "zod";
import { withShared } from "../../config/report/shared-schemas.ts";
import {
  clusterListDocument,
  clusterStatusDocument,
  configShowDocument,
  configValidateDocument,
  doctorDocument,
  initDocument,
  logsDocument,
  rbacDocument,
  routerTestDocument,
  stateExportDocument,
  stateShowDocument,
  unlockDocument,
  versionDocument,
} from "./others.ts";
import { planDocument } from "./plan.ts";
import { historyDocument, reportDocument, signDocument, verifyDocument } from "./report.ts";
import { statusDocument } from "./status.ts";

/** What commands print with `--json`, by the name of the command: queries, and the last line of `plan`. */
export const documents = {
  status: statusDocument,
  plan: planDocument,
  history: historyDocument,
  report: reportDocument,
  "report sign": signDocument,
  "report verify": verifyDocument,
  doctor: doctorDocument,
  unlock: unlockDocument,
  logs: logsDocument,
  rbac: rbacDocument,
  "router test": routerTestDocument,
  init: initDocument,
  "state show": stateShowDocument,
  "state export": stateExportDocument,
  "config validate": configValidateDocument,
  "config show": configShowDocument,
  "cluster list": clusterListDocument,
  "cluster status": clusterStatusDocument,
  version: versionDocument,
} as const satisfies Readonly<Record<string, z.ZodType>>;

/** Commands that print no document of their own: they hand on what another program says. */
export const withoutDocument: readonly string[] = ["cluster kubectl", "cluster logs"];

/** The JSON schema of all of them: `#/$defs/status`, `#/$defs/report-verify`, … */
export function documentsJsonSchema(): Record<string, unknown> {
  const $defs = Object.fromEntries(
    Object.entries(documents).map(([name, document]) => {
      const { $schema: _same, ...schema } = z.toJSONSchema(document);
      return [name.replaceAll(" ", "-"), { title: `modelswitch ${name} --json`, ...schema }];
    }),
  );
  return withShared({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: "modelswitch-output.schema.json",
    title: "What commands of modelswitch print with --json, by their names",
    $defs,
  });
}
