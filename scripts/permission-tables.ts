import { objectsOf } from "../src/cli/rbac/manifests.ts";
import { nginx } from "../src/component/routers/nginx.ts";
import { optionalRows } from "../src/core/optional-permissions.ts";
import { resourceName } from "../src/core/permission-checks.ts";
import { requiredRows, stateRow } from "../src/core/permissions.ts";

const readers: readonly string[] = ["status", "plan", "doctor"];

/** A Markdown table as the formatter of this repository writes none: cells as they come, one row a line. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

const code = (words: readonly string[]) => words.map((word) => `\`${word}\``).join(", ");

export function requiredTable(): string {
  return table(
    ["resource", "objects", "verbs", "reads", "for"],
    [
      ...requiredRows(nginx.rights),
      stateRow(["NAME-modelswitch.STACK", "NAME-modelswitch.STACK.a0 … b15"]),
    ].map((row) => [
      code([resourceName(row)]),
      row.objects !== undefined
        ? code(row.objects)
        : row.names === "any"
          ? "any"
          : code(objectsOf(row.names).split(", ")),
      code(Object.keys(row.verbs)),
      code(
        Object.entries(row.verbs)
          .filter(([, commands]) => commands.some((command) => readers.includes(command)))
          .map(([verb]) => verb),
      ),
      row.why,
    ]),
  );
}

export function optionalTable(): string {
  return table(
    ["resource", "verbs", "for", "without it"],
    optionalRows(nginx).map((row) => [
      `${code([resourceName(row)])}${row.objects === undefined ? "" : ` ${code(row.objects)}`}${row.scope === "cluster" ? " (of the cluster)" : ""}`,
      code(Object.keys(row.verbs)),
      row.why,
      row.without,
    ]),
  );
}

/** The page with its tables as the code has them. */
export function withTables(page: string): string {
  const filled = (text: string, mark: string, content: string) =>
    text.replace(new RegExp(`(<!-- ${mark} -->\n)[\\s\\S]*?(<!-- end -->)`), `$1\n${content}\n\n$2`);
  return filled(
    filled(page, "required permissions", requiredTable()),
    "optional permissions",
    optionalTable(),
  );
}
