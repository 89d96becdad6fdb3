import * as pulumi from "@pulumi/pulumi";
import { BlueGreenModel, custom } from "modelswitch";

const config = new pulumi.Config();
const slot = (image: string) => ({ image, replicas: 1, imagePullPolicy: "Never" as const });

const model = new BlueGreenModel("fraud", {
  namespace: config.require("namespace"),
  server: custom({ readinessPath: "/v2/health/ready" }),
  slots: { blue: slot(config.require("blueImage")), green: slot(config.require("greenImage")) },
  live: config.require("live") === "green" ? "green" : "blue",
  router: "plain",
  ingress: { host: config.require("host") },
});

export const endpoint = model.endpoint;
