/**
 * Measures what people wait for, each beside its floor, medians of several runs in one go, on a local cluster of its own:
 * `npm run bench`, or `npm run bench -- startup` for a part.
 */
import { setup } from "../test/e2e/cluster.setup.ts";
import { startup } from "./startup.ts";
import { heading } from "./statistics.ts";
import { switching } from "./switch.ts";

const parts = {
  startup: () => startup(15),
  switch: async () => {
    process.env.MODELSWITCH_TEST_CLUSTER ??= "bench";
    const down = await setup();
    try {
      return await switching(5);
    } finally {
      await down();
    }
  },
} as const;

type Part = keyof typeof parts;
const isPart = (name: string): name is Part => Object.hasOwn(parts, name);

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !isPart(name));
if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(", ")}: choose from ${Object.keys(parts).join(", ")}.`);
  process.exitCode = 2;
} else {
  const chosen = asked.length === 0 ? Object.keys(parts).filter(isPart) : asked.filter(isPart);
  const lines: string[] = [];
  for (const part of chosen) lines.push(...(await parts[part]()));
  console.log(`\n${heading}\n${lines.join("\n")}`);
}
