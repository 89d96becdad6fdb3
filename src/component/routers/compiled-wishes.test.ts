import { expect, test } from "vitest";
import { defineConfig } from "../../config/file/define.ts";
import { type RouterName, routerNames } from "../../core/router-names.ts";
import type { BlueGreenModelArgs } from "../arguments.ts";
import type { BlueGreenModel } from "../blue-green-model.ts";
import { routerCapabilities } from "./capabilities.ts";
import { routerNamed } from "./factory.ts";

const one = { name: "fraud", release: { image: "fraud:1" } } as const;
const ingress = { host: "a.b", endpoints: ["http://203.0.113.7"] } as const;

test("what a router can do compiles", () => {
  const wishes = {
    routing: { testers: { header: { name: "X-Team", value: "ml" }, cookie: { name: "tester" } } },
    rollout: { steps: "5%, 50%" },
  } as const;
  const nginx = { ...one, ingress: { ...ingress, timeout: 300, protocol: "grpc" }, ...wishes } as const;
  expect(defineConfig(nginx).routing?.testers?.cookie?.name).toBe("tester");
  defineConfig({
    ...one,
    router: "nginx",
    ingress: { ...ingress, timeout: 300 },
    routing: { sticky: "pin" },
  });
  defineConfig({ ...one, router: "traefik", ingress, ...wishes });
  defineConfig({ ...one, router: "traefik", ingress, routing: { sticky: "pin" }, rollout: { shadow: 60 } });
  defineConfig({ ...one, router: "contour", ingress, rollout: { shadow: { for: 60, percent: 10 } } });
  defineConfig({ ...one, router: "contour", ingress, routing: { sticky: false } });
  defineConfig({ ...one, router: "gateway-api", ingress: { ...ingress, protocol: "https" } });
});

test("what a router that is named cannot do does not", () => {
  // @ts-expect-error: nginx copies no requests
  defineConfig({ ...one, ingress, rollout: { shadow: 60 } });
  // @ts-expect-error: contour keeps no clients
  defineConfig({ ...one, router: "contour", ingress, routing: { sticky: "pin" } });
  // @ts-expect-error: traefik cuts no requests
  defineConfig({ ...one, router: "traefik", ingress: { ...ingress, timeout: 300 } });
  // @ts-expect-error: contour measures no requests
  defineConfig({ ...one, router: "contour", ingress: { ...ingress, maxBodySize: "1Mi" } });
  // @ts-expect-error: gateway-api speaks HTTP and HTTPS
  defineConfig({ ...one, router: "gateway-api", ingress: { ...ingress, protocol: "grpc" } });
  // @ts-expect-error: plain shares no traffic
  defineConfig({ ...one, router: "plain", ingress, rollout: { steps: "5%" } });
  // @ts-expect-error: plain knows no testers
  defineConfig({
    ...one,
    router: "plain",
    ingress,
    routing: { testers: { header: { name: "A", value: "b" } } },
  });
  // @ts-expect-error: plain has no preview
  defineConfig({ ...one, router: "plain", ingress, previewHeader: "X-Preview" });
});

test("a router that is known only at run time is checked then", () => {
  const router: RouterName = routerNames[Number(process.env.NOT_SET ?? 0)] ?? "nginx";
  const config = defineConfig({
    ...one,
    router,
    ingress: { ...ingress, timeout: 300 },
    routing: { sticky: "pin" },
  });
  expect(config.router).toBe("nginx");
});

test("the component's arguments are held to the same", () => {
  const slots = { blue: { image: "fraud:1" }, green: { image: "fraud:2" } } as const;
  const args = { slots, live: "blue", ingress: { host: "a.b" } } as const satisfies BlueGreenModelArgs;
  type Takes<R extends RouterName> = ConstructorParameters<typeof BlueGreenModel<R>>[1];
  const testers = { cookie: { name: "tester" } };
  const able: Takes<"traefik"> = { ...args, router: "traefik", testers };
  expect(able.router).toBe("traefik");
  // @ts-expect-error: plain knows no testers
  const unable: Takes<"plain"> = { ...args, router: "plain", testers };
  // @ts-expect-error: traefik cuts no requests
  const slow: Takes<"traefik"> = { ...args, router: "traefik", ingress: { host: "a.b", timeout: 5 } };
  expect([unable, slow]).toHaveLength(2);
});

test.each(routerNames)("the router %s can do what the table says", (name) => {
  expect(routerNamed(name).capabilities).toEqual(routerCapabilities[name]);
});
