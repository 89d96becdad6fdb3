import { Ajv, type AnySchema } from "ajv";

/**
 * Excerpts of what controllers say of their objects, as far as the routers write them: for those that do not run in the tests. Objects have
 * nothing that an excerpt does not know, so that a misspelt field is found here and not by a controller that leaves it out.
 */

const text = { type: "string" } as const;
const whole = { type: "integer" } as const;
const list = (items: AnySchema) => ({ type: "array", items });
const only = (properties: Readonly<Record<string, AnySchema>>, required: readonly string[] = []) => ({
  type: "object",
  properties,
  required,
  additionalProperties: false,
});
const oneOf = (properties: Readonly<Record<string, AnySchema>>) => ({
  ...only(properties),
  minProperties: 1,
  maxProperties: 1,
});

const pass = only({ pass: { enum: ["blue", "green"] } }, ["pass"]);

/** Of `config/crd/bases/k8s.nginx.org_virtualservers.yaml` and `pkg/apis/configuration/validation/virtualserver.go`, release 5.6. */
export const virtualServer = only(
  {
    ingressClassName: text,
    host: { type: "string", minLength: 1 },
    tls: only({ secret: text }),
    upstreams: list(
      only(
        {
          name: { type: "string", pattern: "^[a-z]([-a-z0-9]*[a-z0-9])?$" },
          service: text,
          port: whole,
          "read-timeout": { type: "string", pattern: "^[0-9]+s$" },
          "send-timeout": { type: "string", pattern: "^[0-9]+s$" },
          "client-max-body-size": { type: "string", pattern: "^[0-9]+[kKmMgG]?$" },
          type: { enum: ["grpc", "http"] },
          tls: only({ enable: { type: "boolean" } }),
        },
        ["name", "service", "port"],
      ),
    ),
    routes: list(
      only(
        {
          path: { type: "string", pattern: "^=?/[^\\s{};\\\\]*$" },
          matches: list(
            only(
              {
                conditions: {
                  ...list({
                    oneOf: [
                      only({ header: text, value: text }, ["header", "value"]),
                      only({ cookie: { type: "string", pattern: "^[_A-Za-z0-9]+$" }, value: text }, [
                        "cookie",
                        "value",
                      ]),
                    ],
                  }),
                  minItems: 1,
                },
                action: pass,
              },
              ["conditions", "action"],
            ),
          ),
          splits: {
            ...list(
              only({ weight: { type: "integer", minimum: 0, maximum: 100 }, action: pass }, [
                "weight",
                "action",
              ]),
            ),
            minItems: 2,
          },
        },
        ["path", "splits"],
      ),
    ),
  },
  ["host", "upstreams", "routes"],
);

const istioDestination = only({ host: text, port: only({ number: whole }, ["number"]) }, ["host"]);
const istioText = oneOf({ exact: text, prefix: text, regex: text });

/** Of `VirtualService` in `networking/v1alpha3/virtual_service.proto` of istio/api, release 1.32. */
export const virtualService = only(
  {
    hosts: list(text),
    gateways: list({ type: "string", pattern: "^([-a-z0-9]+/)?[-a-z0-9]+$" }),
    http: list(
      only(
        {
          match: list(
            only({
              uri: istioText,
              headers: {
                type: "object",
                propertyNames: { pattern: "^[-a-z0-9]+$" },
                additionalProperties: istioText,
              },
            }),
          ),
          route: {
            ...list(
              only({ destination: istioDestination, weight: { type: "integer", minimum: 0 } }, [
                "destination",
              ]),
            ),
            minItems: 1,
          },
          timeout: { type: "string", pattern: "^[0-9]+s$" },
          mirror: istioDestination,
          mirrorPercentage: only({ value: { type: "number", minimum: 0, maximum: 100 } }, ["value"]),
        },
        ["match", "route"],
      ),
    ),
  },
  ["hosts", "gateways", "http"],
);

/** Of `Action` in `pkg/ingress/config_types.go` of the AWS Load Balancer Controller, release 3.5: an action that leads to Services. */
export const albAction = only(
  {
    type: { const: "forward" },
    forwardConfig: only(
      {
        targetGroups: {
          ...list(
            only(
              {
                serviceName: text,
                servicePort: whole,
                weight: { type: "integer", minimum: 0, maximum: 999 },
              },
              ["serviceName", "servicePort", "weight"],
            ),
          ),
          minItems: 1,
          maxItems: 5,
        },
      },
      ["targetGroups"],
    ),
  },
  ["type", "forwardConfig"],
);

/** Of `RuleCondition` there. */
export const albConditions = list(
  only(
    {
      field: { const: "http-header" },
      httpHeaderConfig: only(
        {
          httpHeaderName: { type: "string", maxLength: 40 },
          values: { ...list(text), minItems: 1, maxItems: 3 },
        },
        ["httpHeaderName", "values"],
      ),
    },
    ["field", "httpHeaderConfig"],
  ),
);

/** What of a value a schema does not know; nothing where it fits. */
export function unknownOf(schema: AnySchema, value: unknown): string[] {
  const fits = new Ajv({ allErrors: true, strict: false }).compile(schema);
  if (fits(value) === true) return [];
  return (fits.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message ?? ""} ${JSON.stringify(params)}`,
  );
}
