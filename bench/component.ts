import { join } from "node:path";
import { modelswitch } from "../test/e2e/cli-process.ts";
import { TestNamespace, testImages } from "../test/e2e/test-cluster.ts";
import { line, summarise, timed } from "./statistics.ts";

const programs = ["plain", "component"] as const;
const operations = ["create", "up without change", "switch", "destroy"] as const;
type Operation = (typeof operations)[number];

/** One program with the state and the namespace of its own. */
class Program {
  readonly #name: string;
  readonly #namespace: TestNamespace;
  #live: "blue" | "green" = "blue";

  constructor(name: string, namespace: TestNamespace) {
    this.#name = name;
    this.#namespace = namespace;
  }

  async run(operation: Operation): Promise<void> {
    if (operation === "switch") this.#live = this.#live === "blue" ? "green" : "blue";
    const config = {
      namespace: this.#namespace.name,
      host: `${this.#namespace.name}.example.com`,
      blueImage: testImages.blue,
      greenImage: testImages.green,
      live: this.#live,
    };
    const result = await modelswitch(
      [
        "run",
        join(import.meta.dirname, "programs", this.#name),
        "--stack",
        "bench",
        ...Object.entries(config).flatMap(([key, value]) => ["--config", `${key}=${value}`]),
        ...(operation === "destroy" ? ["--destroy", "--yes"] : []),
      ],
      { env: this.#namespace.env() },
    );
    if (result.exitCode !== 0)
      throw new Error(`${this.#name}, ${operation}:\n${result.stdout}${result.stderr}`);
  }
}

/** The component against a plain program with the same resources, both run the same way and in turn. */
export async function componentOverhead(runs: number): Promise<string[]> {
  const times = new Map<string, number[]>();
  for (let index = 0; index < runs; index++) {
    for (const name of index % 2 === 0 ? programs : programs.toReversed()) {
      const namespace = await TestNamespace.create(`bench-${name}`);
      try {
        const program = new Program(name, namespace);
        for (const operation of operations) {
          const key = `${name} ${operation}`;
          times.set(key, [...(times.get(key) ?? []), await timed(() => program.run(operation))]);
        }
      } finally {
        await namespace.remove();
      }
    }
  }
  const of = (name: string, operation: Operation) => summarise(times.get(`${name} ${operation}`) ?? []);
  return operations.flatMap((operation) => {
    const floor = of("plain", operation);
    return [
      line(`floor: plain program, ${operation}`, floor),
      line(`component, ${operation}`, of("component", operation), floor),
    ];
  });
}
