/**
 * Measures what people wait for with the package as it is installed, each beside its floor, medians of several runs in one go, on a local cluster of its own:
 * `npm run bench`, or `npm run bench -- startup` for a part; `npm run bench -- peers` beside the controllers of the field.
 */
import { setup } from "../test/e2e/cluster.setup.ts";
import { installPackage } from "../test/support/installed-package.ts";
import { warmCluster } from "./cluster.ts";
import { componentOverhead } from "./component.ts";
import { decisions } from "./decisions/page.ts";
import { decisionSpeed } from "./decisions/speed.ts";
import { estate } from "./estate.ts";
import { peers } from "./peers/index.ts";
import { releasing } from "./release.ts";
import { rollingBack } from "./rollback.ts";
import { writing } from "./routers.ts";
import { startup } from "./startup.ts";
import { heading } from "./statistics.ts";
import { switching } from "./switch.ts";

/** These run on a local cluster, one after the other on the same. */
const onCluster = {
  switch: () => switching(3),
  component: () => componentOverhead(3),
  estate: () => estate(5),
  release: () => releasing(5),
  routers: () => writing(Number(process.env.MODELSWITCH_BENCH_RUNS ?? 5)),
  rollback: () => rollingBack(Number(process.env.MODELSWITCH_BENCH_RUNS ?? 50)),
} as const;
const alone = {
  startup: () => startup(15),
  decisions: () => decisions(Number(process.env.MODELSWITCH_BENCH_RUNS ?? 1000)),
  speed: () => decisionSpeed(Number(process.env.MODELSWITCH_BENCH_RUNS ?? 3)),
  cluster: () => warmCluster(3),
} as const;
/** Only where they are asked for: controllers are built for them. */
const onDemand = { peers: () => peers(Number(process.env.MODELSWITCH_BENCH_RUNS ?? 10)) } as const;
const parts = { ...alone, ...onCluster, ...onDemand } as const;

type Part = keyof typeof parts;
const isPart = (name: string): name is Part => Object.hasOwn(parts, name);

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !isPart(name));
if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(", ")}: choose from ${Object.keys(parts).join(", ")}.`);
  process.exitCode = 2;
} else {
  const chosen =
    asked.length === 0 ? Object.keys({ ...alone, ...onCluster }).filter(isPart) : asked.filter(isPart);
  const lines: string[] = [];
  const measure = async (part: Part) => {
    console.log(`== ${part}`);
    const measured = await parts[part]();
    console.log(measured.join("\n"));
    lines.push(...measured);
  };
  const installed = await installPackage();
  process.env.MODELSWITCH_TEST_PROGRAM ??= installed.program;
  for (const part of chosen.filter((name) => Object.hasOwn(alone, name))) await measure(part);
  const rest = chosen.filter((name) => !Object.hasOwn(alone, name));
  if (rest.length > 0) {
    process.env.MODELSWITCH_TEST_CLUSTER ??= "bench";
    const down = await setup();
    try {
      await import("../test/e2e/provider.setup.ts");
      for (const part of rest) await measure(part);
    } finally {
      await down();
    }
  }
  await installed.remove();
  console.log(`\n${heading}\n${lines.join("\n")}`);
}
