import { describe, expect, test } from "vitest";
import { custom } from "../../component/servers/custom.ts";
import { presetNames } from "../../component/servers/preset-server.ts";
import { good, lines } from "./validate.fixture.ts";

describe("mistakes in what is said of the model server", () => {
  test.each<[string, unknown, string]>([
    [
      "an unknown preset",
      { ...good, server: "mlsever" },
      `server: "mlsever" is none of ${presetNames.join(", ")}; did you mean "mlserver"?`,
    ],
    [
      "a function's name for a preset's",
      { ...good, server: "tensorflowServing" },
      `server: "tensorflowServing" is none of ${presetNames.join(", ")}; did you mean "tensorflow-serving"?`,
    ],
    [
      "an unknown protocol",
      { ...good, server: { ...custom(), protocol: "openapi" } },
      'server.protocol: "openapi" is none of open-inference, openai, tensorflow, torchserve, bentoml, custom; did you mean "openai"?',
    ],
    [
      "a server without a port",
      { ...good, server: { ...custom(), httpPort: undefined } },
      "server.httpPort: is missing (Port of the inference protocol over HTTP)",
    ],
    [
      "a server that would be killed while it serves",
      { ...good, server: { ...custom(), preStopSleepSeconds: 30, terminationGracePeriodSeconds: 20 } },
      "server.terminationGracePeriodSeconds: 20 is not more than preStopSleepSeconds 30; a terminating pod would be killed while it still serves",
    ],
    [
      "an identity of an unknown kind",
      { ...good, identity: { path: "/", from: { kind: "heder", name: "x" } } },
      'identity.from.kind: "heder" is none of header, json, body; did you mean "header"?',
    ],
    ["an identity without its source", { ...good, identity: { path: "/" } }, "identity.from: is missing"],
  ])("%s", (_what, config, expected) => {
    expect(lines(config)).toEqual([expected]);
  });
});
