import { describe, expect, test } from "vitest";
import { routerNamed } from "../../component/routers/factory.ts";
import { routerNames } from "../../core/router-names.ts";
import { good, lines } from "./validate.fixture.ts";

const able = routerNames.filter((name) => routerNamed(name).capabilities.timeout);

describe("mistakes in what is said of the ingress", () => {
  test.each<[string, unknown, string]>([
    [
      "a mistyped key further down",
      { ...good, ingress: { host: "a.b", clasName: "x" } },
      'ingress.clasName: is an unknown key; did you mean "ingress.className"?',
    ],
    [
      "a key of another place",
      { ...good, host: "a.b" },
      'host: is an unknown key here; did you mean "ingress.host"?',
    ],
    [
      "a wrong router",
      { ...good, router: "ngnix" },
      `router: "ngnix" is none of ${routerNames.join(", ")}; did you mean "nginx"?`,
    ],
    ["no ingress", { ...good, ingress: undefined }, "ingress: is missing"],
    [
      "no host",
      { ...good, ingress: {} },
      "ingress.host: is missing (Host name that clients use, for example mlmodels.example.com)",
    ],
    [
      "an empty host",
      { ...good, ingress: { host: "" } },
      "ingress.host: is empty; name the host that clients use, for example mlmodels.example.com",
    ],
    [
      "a host as URL",
      { ...good, ingress: { host: "https://models.io/x" } },
      'ingress.host: "https://models.io/x" is a URL, not a host name; did you mean "models.io"?',
    ],
    [
      "a host with a port",
      { ...good, ingress: { host: "models.io:8080" } },
      'ingress.host: "models.io:8080" contains a port; keep "models.io" (ingress.endpoints says where the controller listens)',
    ],
    [
      "a host with a path",
      { ...good, ingress: { host: "models.io/fraud" } },
      'ingress.host: "models.io/fraud" contains a path; put it into ingress.path and keep "models.io"',
    ],
    [
      "a wildcard host",
      { ...good, ingress: { host: "*.models.io" } },
      'ingress.host: "*.models.io" is a wildcard; the proof at the ingress needs one host, for example "models.models.io"',
    ],
    [
      "an address as host",
      { ...good, ingress: { host: "10.0.0.1" } },
      'ingress.host: "10.0.0.1" is an address; an Ingress needs a host name',
    ],
    [
      "an upper-case host",
      { ...good, ingress: { host: "Models.io" } },
      'ingress.host: "Models.io" has upper-case letters; did you mean "models.io"?',
    ],
    [
      "a host with an underscore",
      { ...good, ingress: { host: "my_models.io" } },
      'ingress.host: "my_models.io" is no host name: "my_models" must be 1 to 63 lower-case letters, digits and -, no - at an end',
    ],
    [
      "a host with two dots",
      { ...good, ingress: { host: "a..io" } },
      'ingress.host: "a..io" has an empty label (two dots, or a dot at an end)',
    ],
    [
      "a relative path",
      { ...good, ingress: { host: "a.b", path: "fraud" } },
      'ingress.path: "fraud" must start with / and contain no spaces',
    ],
    [
      "a wrong path type",
      { ...good, ingress: { host: "a.b", pathType: "prefix" } },
      'ingress.pathType: "prefix" is none of Prefix, Exact, ImplementationSpecific; did you mean "Prefix"?',
    ],
    [
      "certificates for another host",
      { ...good, ingress: { host: "a.io", tls: [{ hosts: ["b.io"], secretName: "tls" }] } },
      'ingress.tls: names the hosts b.io, but ingress.host is "a.io"',
    ],
    [
      "an annotation that is a number",
      { ...good, ingress: { host: "a.b", annotations: { "example.com/x": 5 } } },
      'ingress.annotations["example.com/x"]: 5 must be a text; write "5"',
    ],
    [
      "an endpoint without scheme",
      { ...good, ingress: { host: "a.b", endpoints: ["127.0.0.1:80"] } },
      'ingress.endpoints[0]: "127.0.0.1:80" is no address; write scheme, host and port, for example "http://127.0.0.1:8080"',
    ],
    [
      "a preview header with a space",
      { ...good, previewHeader: "X Y" },
      'previewHeader: "X Y" is no header name: letters, digits and - only',
    ],
    [
      "a header that the proof chooses itself",
      { ...good, ingress: { ...good.ingress, probe: { headers: { "x-modelswitch-preview": "always" } } } },
      'ingress.probe.headers["x-modelswitch-preview"]: is the preview header, with which the proof chooses a slot itself',
    ],
    [
      "a header that a request has anyway",
      { ...good, ingress: { ...good.ingress, probe: { headers: { Host: "x" } } } },
      "ingress.probe.headers.Host: is set by the request itself",
    ],
    [
      "a time-out that the router cannot keep",
      { ...good, router: "plain", ingress: { ...good.ingress, timeout: 5 } },
      `ingress.timeout: The router "plain" cannot do what ingress.timeout asks for (timeout). Routers that can: ${able.join(", ")}. Or leave ingress.timeout out.`,
    ],
    [
      "a size in the wrong unit",
      { ...good, ingress: { ...good.ingress, maxBodySize: "10MB" } },
      'ingress.maxBodySize: "10MB" is no quantity; did you mean "10Mi" (1024) or "10M" (1000)?',
    ],
    [
      "a limit that an annotation sets, too",
      {
        ...good,
        ingress: {
          ...good.ingress,
          timeout: 5,
          annotations: { "nginx.ingress.kubernetes.io/proxy-read-timeout": "7" },
        },
      },
      'ingress.timeout: ingress.annotations has "nginx.ingress.kubernetes.io/proxy-read-timeout": "7", but the router "nginx" writes "5" there. Remove the annotation; traffic is moved by `live` or `routing`.',
    ],
  ])("%s", (_what, config, expected) => {
    expect(lines(config)).toEqual([expected]);
  });

  test("annotations that belong to the router are refused, with both sides", () => {
    const annotations = {
      "nginx.ingress.kubernetes.io/canary-weight": "5",
      "kubernetes.io/ingress.class": "traefik",
    };
    const found = lines({ ...good, ingress: { host: "a.b", annotations } });
    expect(found).toHaveLength(2);
    expect(found[0]).toContain('router "nginx"');
    expect(found[1]).toContain("ingress.className");
  });

  test("a preview header is refused for a router that can do none", () => {
    const [found] = lines({ ...good, router: "plain", previewHeader: "X-Preview" });
    expect(found).toContain('previewHeader: The router "plain" cannot');
    expect(found).toContain("nginx");
  });
});
