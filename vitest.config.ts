import { defineConfig } from "vitest/config";
import { alone, early, paired } from "./test/e2e/groups.ts";
import { LongestFirst } from "./test/e2e/longest-first.ts";

const files = (names: readonly string[]) => names.map((name) => `test/e2e/${name}.test.ts`);

const earliest = 1;

/** Tests on the real cluster, in groups one after the other; those of one group beside each other. */
function endToEnd(group: {
  readonly name: string;
  readonly order: number;
  readonly include: string[];
  readonly exclude?: string[];
  /** Files at the same time. About half of their time is waiting for pods. */
  readonly workers: number;
}) {
  const { name, order, include, exclude = [], workers } = group;
  return {
    test: {
      name,
      include,
      exclude,
      pool: "forks" as const,
      globalSetup: ["test/e2e/cluster.setup.ts"],
      setupFiles: order === earliest ? [] : ["test/e2e/provider.setup.ts"],
      fileParallelism: workers > 1,
      maxWorkers: workers,
      sequence: { groupOrder: order },
      testTimeout: 300_000,
      hookTimeout: 300_000,
    },
  };
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: "unit",
          include: [
            "src/**/*.test.ts",
            "packages/*/src/**/*.test.ts",
            "demo/**/*.test.ts",
            "bench/**/*.test.ts",
            "test/unit/**/*.test.ts",
          ],
          // Pulumi keeps its runtime in process globals: one process per file keeps tests apart.
          pool: "forks",
          testTimeout: 20_000,
          // A condition is waited for as long as its test may take: a busy machine is no reason to fail.
          expect: { poll: { timeout: 15_000 } },
        },
      },
      endToEnd({
        name: "e2e-early",
        order: earliest,
        include: files(early),
        workers: 2,
      }),
      endToEnd({
        name: "e2e",
        order: 2,
        include: files(["*"]),
        exclude: files([...early, ...paired, ...Object.keys(alone)]),
        workers: 3,
      }),
      endToEnd({
        name: "e2e-paired",
        order: 3,
        include: files(paired),
        workers: 2,
      }),
      endToEnd({
        name: "e2e-alone",
        order: 4,
        include: files(Object.keys(alone)),
        workers: 1,
      }),
    ],
  },
});
