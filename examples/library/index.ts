import * as pulumi from "@pulumi/pulumi";
import { BlueGreenModel, custom, isSlot, providerFromConfig, type Slot } from "modelswitch";

const config = new pulumi.Config();

/** The slot that gets all traffic. Changing this one value and running again is the switch. */
const live = config.get("live") ?? "blue";
if (!isSlot(live)) throw new pulumi.RunError(`live is "${live}", but must be blue or green.`);

/** What a slot runs, from the configuration: `blueImage`, `blueEnv`, and the same for green. */
const release = (slot: Slot) => ({
  image: config.require(`${slot}Image`),
  env: config.getObject<Record<string, string>>(`${slot}Env`) ?? {},
  replicas: config.getNumber("replicas") ?? 2,
});

// The cluster of `kubernetes:kubeconfig`, else the one that kubectl uses.
const provider = providerFromConfig();

const model = new BlueGreenModel(
  config.get("name") ?? "fraud",
  {
    namespace: config.get("namespace") ?? "default",
    server: custom({ port: 8080, readinessPath: "/v2/health/ready", livenessPath: "/v2/health/live" }),
    slots: { blue: release("blue"), green: release("green") },
    live,
    ingress: { host: config.get("host") ?? "mlmodels.example.com" },
  },
  provider === undefined ? {} : { provider },
);

export const endpoint = model.endpoint;
export const url = model.url;
export const liveSlot = model.live;
