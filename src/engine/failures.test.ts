import { describe, expect, test } from "vitest";
import type { Diagnostic, Observed } from "./engine-events.ts";
import { explainFailure, lockedError, operationTitles } from "./failures.ts";

const context = {
  project: "fraud",
  stack: "dev",
  backendUrl: "s3://user:key@models",
  operation: operationTitles.up,
  aborted: false,
};
const service = "urn:pulumi:dev::fraud::kubernetes:core/v1:Service::fraud-blue";

function observed(...diagnostics: Diagnostic[]): Observed {
  return { changes: [], same: 0, outputs: {}, diagnostics, failed: [], behind: [], ended: true };
}

function error(message: string, urn?: string): Diagnostic {
  return { severity: "error", message, urn };
}

describe("failures", () => {
  test("of resources say which and why, and not what the CLI repeats", () => {
    const failure = explainFailure(
      { stdout: "a long table", stderr: "error: update failed", code: 1 },
      observed(error("error: spec.type: Unsupported value", service), error("update failed")),
      context,
    );
    expect(failure).toMatchObject({
      code: "deployment-failed",
      exitCode: 1,
      message: "The update of stack dev failed: Service fraud-blue: spec.type: Unsupported value",
    });
  });

  test("of a webhook that is down name it, and no outage", () => {
    const down = (name: string) =>
      `Internal error occurred: failed calling webhook "${name}": failed to call webhook: Post "https://hook.acme.svc:443/v?timeout=10s": no endpoints available for service "hook"`;
    const output = { stdout: "", stderr: "error: update failed", code: 1 };
    expect(explainFailure(output, observed(error(down("a.acme.io"), service)), context)).toMatchObject({
      code: "admission-webhook-down",
      message: `The update of stack dev failed at Service fraud-blue: the admission webhook "a.acme.io", which the API server asks, failed: Post "https://hook.acme.svc:443/v": no endpoints available for service "hook"`,
      hint: expect.stringContaining("failurePolicy"),
    });
    const other = error("spec.type: Unsupported value", service.replace("-blue", "-green"));
    const both = explainFailure(output, observed(error(down("a.acme.io"), service), other), context);
    expect(both.code).toBe("deployment-failed");
  });

  test("that one of our hooks refused keep its code and hint", () => {
    const refusal = {
      urn: service,
      code: "selector-changed",
      message: "Refused to change the selector.",
      exitCode: 1,
      hint: "A slot keeps its selector for life.",
      details: { slot: "blue" },
    } as const;
    const said = error("before hook failed: Refused to change the selector. A slot keeps it.", service);
    const refused = { ...context, refusals: [refusal] };
    const output = { stdout: "", stderr: "", code: 1 };
    expect(explainFailure(output, observed(said), refused)).toMatchObject({
      code: "selector-changed",
      message: "The update of stack dev was refused at Service fraud-blue: Refused to change the selector.",
      hint: refusal.hint,
      details: { slot: "blue", urn: service },
    });
    // Of what was refused while the program ran, the program's own failures speak.
    const early = { ...context, refusals: [{ ...refusal, urn: "" }] };
    const twice = [said.message, `error serializing property "outputs": ${said.message}`].map((message) =>
      error(message, undefined),
    );
    expect(explainFailure(output, observed(...twice), early)).toMatchObject({
      code: "selector-changed",
      message: "The update of stack dev was refused: Refused to change the selector.",
    });
    // Another failure beside it must not go unsaid.
    const other = error("spec.type: Unsupported value", service.replace("-blue", "-green"));
    expect(explainFailure(output, observed(said, other), refused).code).toBe("deployment-failed");
  });

  test("never show the password of a backend", () => {
    const said = "error: unable to open bucket postgres://ada:geheim@db/state: refused";
    const failure = explainFailure({ stdout: "", stderr: said, code: 1 }, observed(), context);
    expect(failure.code).toBe("backend-unusable");
    expect(failure.message).not.toMatch(/geheim|user:key/);
  });

  test("of several resources are a list without repetitions", () => {
    const { message } = explainFailure(
      { stdout: "", stderr: "", code: 1 },
      observed(error("a", service), error("a", service), error("b", service)),
      context,
    );
    expect(message.split("\n")).toEqual([
      "The update of stack dev failed:",
      "- Service fraud-blue: a",
      "- Service fraud-blue: b",
    ]);
  });

  test("of the program name the place in it instead of a stack trace", () => {
    const trace =
      "Unhandled exception: Error: in apply\n    at /p/node_modules/x/y.js:1:2\n    at /p/index.ts:13:63";
    const failure = explainFailure({ stdout: "", stderr: "", code: 1 }, observed(error(trace)), context);
    expect(failure.code).toBe("program-failed");
    expect(failure.message).toMatch(/failed: in apply \(at .*index\.ts:13:63\)$/);
  });

  test.each([
    ["error: get stack secrets manager: incorrect passphrase", "passphrase-wrong", 2],
    [
      "error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE environment variables",
      "passphrase-missing",
      2,
    ],
    ["error: could not get cloud url: unable to open bucket s3://x: no such host", "backend-unusable", 1],
    ["error: something else", "pulumi-failed", 1],
  ])("%s", (stderr, code, exitCode) => {
    const failure = explainFailure({ stdout: "", stderr, code: 1 }, observed(), context);
    expect(failure).toMatchObject({ code, exitCode });
    expect(failure.message).not.toContain("user:key");
  });

  test("that the CLI lists are all named", () => {
    const stderr =
      "error: 2 errors occurred:\n\t* saving a checkpoint: no space left on device\n\t* closing: EIO\n";
    const { message } = explainFailure({ stdout: "", stderr, code: 255 }, observed(), context);
    expect(message).toMatch(/ failed: saving a checkpoint: no space left on device\nclosing: EIO$/);
  });

  test("after Ctrl-C are interruptions, whatever else was said", () => {
    const failure = explainFailure(
      { stdout: "", stderr: "error: x", code: 8 },
      observed(error("y", service)),
      {
        ...context,
        aborted: true,
      },
    );
    expect(failure).toMatchObject({ code: "interrupted", exitCode: 130 });
  });

  test("by a signal to the CLI name the signal", () => {
    const failure = explainFailure(
      { stdout: "", stderr: "", code: -1, endedBy: "SIGKILL" },
      observed(),
      context,
    );
    expect(failure).toMatchObject({ code: "pulumi-killed" });
    expect(failure.message).toContain("SIGKILL");
  });

  test("because of another run say who, since when, and how to proceed", () => {
    const since = Date.parse("2026-11-23T07:00:00Z");
    const lock = {
      url: "file:///l.json?no_tmp_dir=true",
      username: "ada",
      hostname: "laptop",
      pid: 7,
      since,
    };
    const failure = lockedError([lock], context, since + 5 * 60_000);
    expect(failure).toMatchObject({ code: "stack-locked", exitCode: 4 });
    expect(failure.message).toBe(
      "Stack dev of project fraud is locked by ada on laptop (process 7) since 2026-11-23T07:00:00.000Z, 5 min ago.",
    );
    expect(failure.hint).toMatch(/file:\/\/\/l\.json$/);
  });
});
