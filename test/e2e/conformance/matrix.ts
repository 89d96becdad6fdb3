import type { RouterCapabilities } from "../../../src/component/routers/router.ts";

/** What became of one case with one router. */
export type Cell =
  | { readonly state: "passed" }
  | { readonly state: "failed" }
  /** The capability table says that this router cannot. */
  | { readonly state: "no"; readonly capability: string }
  /** The router can, but the controller that runs here cannot: shown to be refused by name. */
  | { readonly state: "refused"; readonly lacking: string }
  /** Only in `npm run test:soak`. */
  | { readonly state: "long" };

/** Which capability a router lacks for a case; `undefined`: it has all that are needed. Pure. */
export function lackingFor(
  needs: readonly (keyof RouterCapabilities)[],
  capabilities: RouterCapabilities,
): keyof RouterCapabilities | undefined {
  return needs.find((capability) => capabilities[capability] !== true);
}

/** Every router by every case. A cell that nothing was said of is a hole. */
export class Matrix {
  readonly #routers: readonly string[];
  readonly #cases: readonly string[];
  readonly #cells = new Map<string, Cell>();

  constructor(routers: readonly string[], cases: readonly string[]) {
    this.#routers = routers;
    this.#cases = cases;
  }

  set(router: string, name: string, cell: Cell): void {
    if (!this.#routers.includes(router) || !this.#cases.includes(name))
      throw new Error(`There is no cell ${router} × ${name}.`);
    this.#cells.set(`${router} × ${name}`, cell);
  }

  /** What did not pass, and no table explains. */
  holes(): string[] {
    return this.#cases.flatMap((name) =>
      this.#routers.flatMap((router) => {
        const cell = this.#cells.get(`${router} × ${name}`);
        if (cell === undefined) return [`${router} × ${name}: not tried`];
        return cell.state === "failed" ? [`${router} × ${name}: failed`] : [];
      }),
    );
  }

  toString(): string {
    const rows = this.#cases.map((name) => [
      name,
      ...this.#routers.map((router) => textOf(this.#cells.get(`${router} × ${name}`))),
    ]);
    const all = [["", ...this.#routers], ...rows];
    const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
    return all
      .map((row) =>
        row
          .map((text, column) => text.padEnd(widths[column] ?? 0))
          .join("  ")
          .trimEnd(),
      )
      .join("\n");
  }
}

function textOf(cell: Cell | undefined): string {
  switch (cell?.state) {
    case undefined:
      return "NOT TRIED";
    case "passed":
      return "passed";
    case "failed":
      return "FAILED";
    case "no":
      return `no: ${cell.capability}`;
    case "refused":
      return `refused: ${cell.lacking}`;
    case "long":
      return "soak";
  }
}
