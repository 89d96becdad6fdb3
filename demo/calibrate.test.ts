import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { calibrate } from "./calibrate.ts";

let respond = () => ({ status: 200, body: "" });
const server = createServer((request, response) => {
  request.resume();
  const { status, body } = respond();
  setTimeout(() => {
    response.statusCode = status;
    response.end(body);
  }, 10);
});
let url = "";

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
});

const good = JSON.stringify({
  model_name: "m",
  model_version: "1",
  outputs: [{ name: "predict", shape: [1], datatype: "INT64", data: [1] }],
});
const options = () => ({
  url,
  host: "model.example.com",
  path: "/v2/models/m/infer",
  body: "{}",
  durationMs: 400,
  concurrency: 4,
  signal: new AbortController().signal,
});

test("takes a share of what the burst got through, within the bounds", async () => {
  respond = () => ({ status: 200, body: good });
  const calibration = await calibrate(options());
  // 4 at a time, 10 ms each: at most 400 per second.
  expect(calibration.throughput).toBeGreaterThan(0);
  expect(calibration.throughput).toBeLessThan(500);
  const share = Math.floor(calibration.throughput * 0.3);
  expect(calibration.ratePerSecond).toBe(Math.min(300, Math.max(5, share)));
  expect((await calibrate({ ...options(), bounds: [1, 7] })).ratePerSecond).toBe(7);
});

test("says what answered instead of the model", async () => {
  respond = () => ({ status: 404, body: "404 page not found" });
  await expect(calibrate(options())).rejects.toThrowError(/404 page not found/);
});

test("says that nothing answered", async () => {
  const nobody = { ...options(), url: "http://127.0.0.1:1" };
  await expect(calibrate(nobody)).rejects.toMatchObject({ code: "calibration-failed" });
});

test("is for this machine only", async () => {
  await expect(calibrate({ ...options(), url: "http://10.1.1.1" })).rejects.toThrowError(/loopback/);
});
