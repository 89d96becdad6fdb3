import { expect, test } from "vitest";
import { environmentProxy } from "./environment-proxy.ts";

const proxy = "http://proxy:3128";

test.each<[string, string, Readonly<Record<string, string>>, string | undefined]>([
  ["nothing is said", "https://api:6443", {}, undefined],
  ["HTTPS_PROXY", "https://api:6443", { HTTPS_PROXY: proxy }, proxy],
  ["lower case", "https://api:6443", { https_proxy: proxy }, proxy],
  ["upper before lower", "https://api", { HTTPS_PROXY: proxy, https_proxy: "http://other" }, proxy],
  ["an empty one is none", "https://api", { HTTPS_PROXY: "", https_proxy: proxy }, proxy],
  ["another scheme's", "https://api", { HTTP_PROXY: proxy }, undefined],
  ["plain http's own", "http://api", { http_proxy: proxy }, proxy],
  ["ALL_PROXY is not Go's", "https://api", { ALL_PROXY: proxy }, undefined],
  ["without a scheme", "https://api", { HTTPS_PROXY: "proxy:3128" }, proxy],
  ["loopback", "https://127.0.0.1:6443", { HTTPS_PROXY: proxy }, undefined],
  ["all of loopback", "https://127.8.0.1:6443", { HTTPS_PROXY: proxy }, undefined],
  ["loopback of IPv6", "https://[::1]:6443", { HTTPS_PROXY: proxy }, undefined],
  ["localhost", "https://localhost:6443", { HTTPS_PROXY: proxy }, undefined],
  ["a name that is excepted", "https://api.corp", { HTTPS_PROXY: proxy, NO_PROXY: "x, api.corp" }, undefined],
  ["a domain, as its end", "https://api.corp", { HTTPS_PROXY: proxy, no_proxy: "corp" }, undefined],
  ["a domain's subdomains", "https://api.corp", { HTTPS_PROXY: proxy, no_proxy: ".corp" }, undefined],
  ["a dot means subdomains only", "https://corp", { HTTPS_PROXY: proxy, no_proxy: ".corp" }, proxy],
  ["a star", "https://api.corp", { HTTPS_PROXY: proxy, no_proxy: "*.corp" }, undefined],
  ["the end of a label is no domain", "https://notcorp", { HTTPS_PROXY: proxy, no_proxy: "corp" }, proxy],
  ["everything", "https://api", { HTTPS_PROXY: proxy, no_proxy: "*" }, undefined],
  ["an address", "https://10.0.0.1", { HTTPS_PROXY: proxy, no_proxy: "10.0.0.1" }, undefined],
  ["a range", "https://10.1.2.3", { HTTPS_PROXY: proxy, no_proxy: "10.0.0.0/8" }, undefined],
  ["another range", "https://11.1.2.3", { HTTPS_PROXY: proxy, no_proxy: "10.0.0.0/8" }, proxy],
  ["a range of IPv6", "https://[fd00::1]", { HTTPS_PROXY: proxy, no_proxy: "fd00::/8" }, undefined],
  ["a port", "https://api:6443", { HTTPS_PROXY: proxy, no_proxy: "api:6443" }, undefined],
  ["another port", "https://api:6443", { HTTPS_PROXY: proxy, no_proxy: "api:443" }, proxy],
  ["the usual port", "https://api", { HTTPS_PROXY: proxy, no_proxy: "api:443" }, undefined],
  [
    "IPv6 with a port",
    "https://[fd00::1]:6443",
    { HTTPS_PROXY: proxy, no_proxy: "[fd00::1]:6443" },
    undefined,
  ],
  ["an address's end is no domain", "https://10.0.0.1", { HTTPS_PROXY: proxy, no_proxy: "0.0.1" }, proxy],
])("the proxy, as Go finds it: %s", (_what, address, env, expected) => {
  expect(environmentProxy(new URL(address), env)).toBe(expected);
});
