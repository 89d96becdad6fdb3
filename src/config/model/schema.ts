import { z } from "zod";
import { defaults } from "../../core/defaults.ts";
import { modelNamePattern } from "../../core/names.ts";
import { ownRouterPrefix, routerNames } from "../../core/router-names.ts";
import { slots } from "../../core/slots.ts";
import { controllerPlaces } from "../../gates/traffic.ts";
import {
  absolutePath,
  annotations,
  count,
  headerToken,
  label,
  labels,
  otherwise,
  port,
  text,
} from "../parts/schema-parts.ts";
import { tied } from "../parts/tied.ts";
import { rolloutSchema } from "../rollout/rollout.ts";
import { requestOptions, runs, serviceSettings } from "./release-schema.ts";
import { routingSchema } from "./routing-schema.ts";
import { identitySchema } from "./server-parts.ts";
import { serverSchema } from "./server-schema.ts";
import type { ModelPart, ModelswitchConfig } from "./types.ts";

/**
 * The shape of the configuration file, for validation at the boundary and for the JSON schema that editors use.
 * Rules over several fields are in `rules.ts`.
 */

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** What `defineRouter` gives. */
const ownRouter = z.templateLiteral([ownRouterPrefix, z.string()]);

const seconds = (about: string) => z.number().positive().describe(about);

const selector = labels.refine(
  (value) => Object.keys(value).length > 0,
  "selects every pod of the namespace; name at least one label",
);

/** Names of objects that existed before the model. */
const objectName = (kind: string) =>
  z
    .string()
    .regex(
      subdomain,
      `is no name of ${kind === "Ingress" ? "an" : "a"} ${kind}: lower-case letters, digits, - and .`,
    )
    .describe(
      `Name of an existing ${kind} that \`modelswitch adopt\` takes over. Default: derived from the model's name`,
    );

const image = text(
  "Image of the model server, best with its digest, for example registry/fraud:1.5@sha256:…",
);

const release = z
  .strictObject({ image, ...runs })
  .describe(
    "The template of the next release; `up` puts release 1 into blue. Either this, or `slots` that say what runs",
  );

const slot = z.strictObject({
  image: image.optional(),
  ...runs,
  selector: selector
    .optional()
    .describe(
      "Labels of the slot's pods. Default: { app: NAME, version: SLOT }. Never changes after creation",
    ),
  release: count("Number of the release that the slot runs", 1).optional(),
  deployment: objectName("Deployment").optional(),
  service: objectName("Service").optional(),
  autoscaler: objectName("HorizontalPodAutoscaler").optional(),
});

const tls = z.strictObject({
  hosts: z.array(text("Host name")).optional().describe("Default: all hosts of the Ingress; []: none"),
  secretName: z
    .string()
    .regex(subdomain, "is no name of a Secret: lower-case letters, digits, - and .")
    .optional()
    .describe("Secret with the certificate. Default: the controller's default certificate"),
});

const endpoint = z
  .string()
  .regex(
    /^https?:\/\/[^/\s]+\/?$/,
    'is no address; write scheme, host and port, for example "http://127.0.0.1:8080"',
  );

/** Keys and values that the file could have. */
const { ingress: ingressDefaults } = defaults satisfies ModelPart;
const pathType = z.enum(["Prefix", "Exact", "ImplementationSpecific"]);

const headerValue = z.union([
  z.string(),
  z.strictObject({ env: text("Environment variable with the value") }),
  z.strictObject({
    secret: z
      .string()
      .regex(subdomain, "is no name of a Secret: lower-case letters, digits, - and .")
      .describe("Secret of the model's namespace"),
    key: text("Key in it"),
  }),
]);

const metrics = z
  .strictObject({
    controller: controllerPlaces
      .optional()
      .describe(
        "The ingress controller: an address for each of its replicas, or its pods. Default: found by itself",
      ),
    prometheus: z
      .strictObject({
        url: z
          .string()
          .regex(/^https?:\/\/[^\s?#]+$/, 'is no address; for example "http://prometheus.monitoring:9090"')
          .describe("Its address, with the path that its API is below"),
        headers: z
          .record(z.string().regex(headerToken, "is no header name: letters, digits and - only"), headerValue)
          .optional()
          .describe("Headers by name: a text, { env } or { secret, key }. Default: no headers"),
      })
      .optional()
      .describe("A Prometheus that scrapes the ingress controller. Default: no Prometheus"),
  })
  .describe("Where clients' requests are counted, for the gates that compare them. Default: found by itself");

const ingress = z.strictObject({
  name: objectName("Ingress").optional(),
  canaryName: z
    .string()
    .regex(subdomain, "is no name of an Ingress: lower-case letters, digits, - and .")
    .optional()
    .describe(
      "Name of the second Ingress of routers that have one, for a model that has moved from one class to another. Default: derived from the model's name",
    ),
  className: z
    .string()
    .regex(subdomain, "is no name of an IngressClass: lower-case letters, digits, - and .")
    .optional()
    .describe(`IngressClass. ${otherwise(ingressDefaults.className)}`),
  classAnnotation: z
    .boolean()
    .optional()
    .describe(
      `Names the class by the annotation kubernetes.io/ingress.class. ${otherwise(ingressDefaults.classAnnotation)}`,
    ),
  gateway: z
    .strictObject({
      name: z.string().describe("Its name"),
      namespace: z.string().optional().describe("Default: the model's"),
      sectionName: z.string().optional().describe("Default: all listeners that take the route"),
    })
    .optional()
    .describe("The Gateway that takes the requests, for a router of Gateways. Default: no Gateway"),
  host: z.string().describe("Host name that clients use, for example mlmodels.example.com"),
  path: absolutePath
    .optional()
    .describe(`Path that belongs to the model. ${otherwise(ingressDefaults.path)}`),
  pathType: pathType.optional().describe(otherwise(ingressDefaults.pathType)),
  also: z
    .array(
      z.strictObject({
        host: z.string().optional().describe("Host name. Default: that of the Ingress"),
        path: absolutePath.optional().describe(otherwise(ingressDefaults.path)),
        pathType: pathType.optional().describe(otherwise(ingressDefaults.pathType)),
      }),
    )
    .optional()
    .describe("More hosts and paths that lead to the model. Default: no more"),
  tls: z.array(tls).optional().describe("Certificates by host"),
  ...requestOptions,
  annotations: annotations
    .optional()
    .describe("Free annotations of the Ingress; those that the router owns are refused"),
  endpoints: z
    .array(endpoint)
    .optional()
    .describe(
      "Where the proof connects, for controllers not on port 80 or 443. Default: the Ingress's addresses",
    ),
  controllerReplicas: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe(
      `How many replicas of the ingress controller may answer at one address. ${otherwise(ingressDefaults.controllerReplicas)}`,
    ),
  probe: z
    .strictObject({
      headers: z
        .record(z.string().regex(headerToken, "is no header name: letters, digits and - only"), headerValue)
        .optional()
        .describe("Headers by name: a text, { env } or { secret, key }. Default: no headers"),
    })
    .optional()
    .describe("What a proof and request gates send to the ingress beside what clients send"),
});

const pulumi = z.strictObject({
  project: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,100}$/, "may have letters, digits, - _ and . only")
    .optional()
    .describe("Default: modelswitch-NAME"),
  stack: z
    .string()
    .regex(/^[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+){0,2}$/, "may have letters, digits, - _ and . only")
    .optional()
    .describe("Default: the namespace"),
  backend: z
    .string()
    .regex(/^[a-z][a-z0-9+.-]*:\/\//i, 'is no URL; for example "file:///srv/state" or "s3://bucket"')
    .optional()
    .describe("Any Pulumi backend URL. Default: Secrets beside the model"),
  secretsProvider: z
    .string()
    .regex(
      /^([a-z][a-z0-9+.-]*:\/\/\S+|passphrase|default)$/i,
      'is no secrets provider; for example "awskms://alias/models"',
    )
    .optional()
    .describe(
      "A Pulumi secrets provider. Default: a key beside the state in the cluster; with a backend, passphrase from PULUMI_CONFIG_PASSPHRASE(_FILE), else asked for",
    ),
});

/** The configuration file. */
export const configSchema = tied<ModelswitchConfig>()(
  z
    .strictObject({
      name: z
        .string()
        .regex(
          modelNamePattern,
          "is no model name: lower-case letters, digits and -, at most 52 characters, first a letter",
        )
        .describe("Name of the model; names of all objects derive from it"),
      namespace: z
        .string()
        .regex(label, "is no namespace: lower-case letters, digits and -, at most 63 characters")
        .optional()
        .describe("Default: the context's namespace, else default"),
      server: serverSchema.optional(),
      release: release.optional(),
      slots: z
        .strictObject({ blue: slot, green: slot })
        .optional()
        .describe(
          "What both slots run: then both run and `switch` moves between them. Beside `release` only their selectors and names of objects that were there before",
        ),
      live: z
        .enum(slots)
        .optional()
        .describe(`The slot that gets the traffic when the Ingress is created. ${otherwise(defaults.live)}`),
      idleReplicas: count(
        `Replicas of the idle slot in the \`release\` form. ${otherwise(defaults.idleReplicas)}`,
        0,
      ).optional(),
      ingress,
      servicePort: port
        .optional()
        .describe(`Port of the slots' Services. ${otherwise(defaults.servicePort)}`),
      service: serviceSettings.optional(),
      router: z
        .union([z.enum(routerNames), ownRouter])
        .optional()
        .describe(otherwise(defaults.router)),
      previewHeader: z
        .string()
        .regex(headerToken, "is no header name: letters, digits and - only")
        .optional()
        .describe(`Header that reaches the idle slot. ${otherwise(defaults.previewHeader)}`),
      routing: routingSchema.optional(),
      identity: identitySchema.optional(),
      kubeconfig: text("Path of a kubeconfig file, relative to this file").optional(),
      context: text("Context of the kubeconfig. Default: its current one").optional(),
      pulumi: pulumi.optional(),
      deadlines: z
        .strictObject({
          ready: seconds(
            `Seconds until all replicas of a slot must be ready. ${otherwise(defaults.deadlines.ready)}`,
          ).optional(),
          proof: seconds(
            `Seconds until a change must be proved at the ingress. ${otherwise(defaults.deadlines.proof)}`,
          ).optional(),
        })
        .optional(),
      metrics: metrics.optional(),
      rollout: rolloutSchema.optional(),
    })
    .describe("Configuration of modelswitch"),
);
