import { expect } from "vitest";
import { samplesOf } from "../../../src/core/exposition.ts";
import { settledOn } from "../../../src/core/routing.ts";
import type { Slot } from "../../../src/core/slots.ts";
import type { Stage } from "./stage.ts";

/** The requests of each slot, as the running controller has counted them. */
export async function countedBy({ router, controller, project, live }: Stage): Promise<Record<Slot, number>> {
  const { counters, samples } = await countersOf({ router, controller });
  if (counters === undefined)
    throw new Error(`${controller.metricsUrl} shows no counters that ${router.name} knows.`);
  const slots = counters.count(samples, {
    namespace: project.namespace.name,
    main: "fraud",
    services: { blue: "fraud-blue", green: "fraud-green" },
    servicePort: 80,
    routing: settledOn(live),
  });
  return { blue: slots.blue?.requests ?? 0, green: slots.green?.requests ?? 0 };
}

/** A controller that counts both slots as one: nothing that it shows is taken for the requests of a slot. */
export async function countedByNobody(stage: Stage): Promise<void> {
  const { counters, text } = await countersOf(stage);
  // It does count.
  expect(text).toMatch(new RegExp(`^\\w+\\{.*/${stage.project.namespace.name}/.*\\} [1-9]`, "m"));
  expect(counters).toBeUndefined();
}

async function countersOf({ router, controller }: Pick<Stage, "router" | "controller">) {
  const known = router.counters ?? [];
  const text = await (await fetch(controller.metricsUrl)).text();
  const samples = samplesOf(text, new Set(known.flatMap(({ metrics }) => metrics)));
  return { text, samples, counters: known.find((one) => one.isOf(samples)) };
}
