import { samplesOf } from "../../../src/core/exposition.ts";
import { settledOn } from "../../../src/core/routing.ts";
import type { Slot } from "../../../src/core/slots.ts";
import type { Stage } from "./stage.ts";

/** The requests of each slot, as the running controller has counted them. */
export async function countedBy({ router, controller, project, live }: Stage): Promise<Record<Slot, number>> {
  const known = router.counters ?? [];
  const text = await (await fetch(controller.metricsUrl)).text();
  const samples = samplesOf(text, new Set(known.flatMap(({ metrics }) => metrics)));
  const counters = known.find((one) => one.isOf(samples));
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
