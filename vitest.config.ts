import { defineConfig } from "vitest/config";
import { alone, early } from "./test/e2e/groups.ts";

const files = (names: readonly string[]) => names.map((name) => `test/e2e/${name}.test.ts`);

/** Tests on the real cluster, in groups one after the other; those of one group beside each other. */
function endToEnd(group: {
  readonly name: string;
  readonly order: number;
  readonly include: string[];
  readonly exclude?: string[];
  /** Files at the same time. About half of their time is waiting for pods. */
  readonly workers: number;
  readonly provider: string;
}) {
  const { name, order, include, exclude = [], workers, provider } = group;
  return {
    test: {
      name,
      include,
      exclude,
      pool: "forks" as const,
      globalSetup: ["test/e2e/cluster.setup.ts"],
      setupFiles: ["test/e2e/provider.setup.ts"],
      env: { MODELSWITCH_PROVIDER: provider },
      fileParallelism: workers > 1,
      maxWorkers: workers,
      sequence: { groupOrder: order },
      testTimeout: 300_000,
      hookTimeout: 300_000,
    },
  };
}

/** What users with internet have. Another one for comparisons: `MODELSWITCH_TEST_PROVIDER=embedded`. */
const provider = process.env.MODELSWITCH_TEST_PROVIDER ?? "official";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["src/**/*.test.ts", "demo/**/*.test.ts", "test/unit/**/*.test.ts"],
          // Pulumi keeps its runtime in process globals: one process per file keeps tests apart.
          pool: "forks",
          testTimeout: 20_000,
        },
      },
      endToEnd({
        name: "e2e-early",
        order: 1,
        include: files(early),
        workers: 2,
        provider: "embedded",
      }),
      endToEnd({
        name: "e2e",
        order: 2,
        include: files(["*"]),
        exclude: files([...early, ...Object.keys(alone)]),
        workers: 3,
        provider,
      }),
      endToEnd({
        name: "e2e-alone",
        order: 3,
        include: files(Object.keys(alone)),
        workers: 1,
        provider,
      }),
    ],
  },
});
