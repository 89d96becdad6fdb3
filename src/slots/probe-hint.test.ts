import { expect, test } from "vitest";
import { probeHint } from "./probe-hint.ts";

const get =
  'Readiness probe failed: Get "http://10.1.0.7:9000/": net/http: HTTP/1.x transport connection broken:';

test.each([
  [
    "a port for gRPC only",
    `${get} malformed HTTP response "\\x00\\x00\\x06\\x04\\x00\\x00\\x00\\x00\\x00\\x00\\x05\\x00\\x00@\\x00"`,
    "otherPorts",
  ],
  [
    "a port for gRPC only that does not answer at all",
    'Readiness probe failed: Get "http://10.1.0.7:9000/ready": read tcp 10.1.0.1:49084->10.1.0.7:9000: read: connection reset by peer',
    "otherPorts",
  ],
  [
    "TLS where the pods have none",
    'Readiness probe failed: Get "https://10.1.0.7:8080/": http: server gave HTTP response to HTTPS client',
    'set it to "http"',
  ],
  ["a port for TLS only", `${get} malformed HTTP response "\\x15\\x03\\x01\\x00\\x02\\x02"`, '"https"'],
  ["a port for TLS only, in Go", "Readiness probe failed: HTTP probe failed with statuscode: 400", '"https"'],
])("%s is recognised by what the kubelet says", (_what, event, part) => {
  expect(probeHint(["Pulled: image", event])).toContain(part);
});

test("a model that is not loaded yet is nothing of the kind", () => {
  expect(probeHint(["Readiness probe failed: HTTP probe failed with statuscode: 503"])).toBeUndefined();
  expect(probeHint([])).toBeUndefined();
});
