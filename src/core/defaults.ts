import { defaultPreviewHeader } from "./names.ts";

/**
 * What applies where nothing is said, under the keys of the configuration file and in its units (times in seconds). What resolves
 * settings, the component, the schema and its texts read it here; a test holds the `@default`s of the types against it.
 */
export const defaults = {
  live: "blue",
  idleReplicas: 0,
  servicePort: 80,
  router: "nginx",
  previewHeader: defaultPreviewHeader,
  ingress: {
    className: "nginx",
    classAnnotation: false,
    path: "/",
    pathType: "Prefix",
    controllerReplicas: 3,
  },
  deadlines: { ready: 600, proof: 60 },
  rollout: {
    settle: 5,
    soak: 30,
    shadow: { percent: 100 },
    rollbackWindow: 600,
    warmUp: { deadline: 60, requests: 200 },
    capacity: "require",
    mode: "full",
    timeZone: "UTC",
    watchPods: true,
    watchTraffic: true,
    alpha: 0.05,
  },
} as const;

/** Of one of `rollout.hooks`. */
export const hookDefaults = { timeout: 60, retries: { url: 2, run: 0 }, onFailure: "abort" } as const;

/** Of one of `rollout.gates`, whatever its kind: see `gates/kinds.ts` for what each has beside. */
export const gateDefaults = {
  every: 10,
  failures: 1,
  timeout: 30,
  onInconclusive: "hold",
} as const;
