import { describe, expect, test } from "vitest";
import { failureOf } from "../../../test/support/failure.ts";
import type { CommandContext, CommandInput } from "../command.ts";
import { migrate } from "./migrate.ts";

/** What is wrong is said before anything is looked at. */
const context = {} as CommandContext;
const refused = (options: CommandInput["options"], lists: CommandInput["lists"] = {}) =>
  failureOf(migrate.run({ arguments: {}, options, lists }, context));

describe("options of `migrate` that say nothing", () => {
  test.each<[CommandInput["options"], NonNullable<CommandInput["lists"]>, string]>([
    [{ to: "ngnix" }, {}, 'There is no router "ngnix".'],
    [{ gateway: "a/b/c" }, {}, "takes NAME or NAMESPACE/NAME"],
    [{ gateway: "infra/" }, {}, "takes NAME or NAMESPACE/NAME"],
    [{ "host-proof": "*.example.com" }, {}, "is a wildcard"],
    [{ "host-proof": "not a host" }, {}, "--host-proof"],
    [{}, { endpoint: ["203.0.113.7"] }, "takes a URL without a path"],
    [{}, { "from-endpoint": ["http://203.0.113.7/path"] }, "takes a URL without a path"],
    [{ "wait-idle": "soon" }, {}, "takes a length of time"],
    [{ "wait-idle": "0s" }, {}, "takes a length of time"],
    [{ "wait-idle": "10m", "wait-at-most": "x" }, {}, "--wait-at-most"],
    [{ "wait-idle": "10m" }, { metrics: ["ftp://203.0.113.7/metrics"] }, "--metrics"],
    [{}, { metrics: ["http://203.0.113.7/metrics"] }, "--wait-idle is not given"],
    [{ moved: true, "wait-idle": "10m" }, {}, "say two things"],
    [{ moved: true, plan: true }, {}, "--plan"],
    [{ abort: true, to: "nginx" }, {}, "--abort"],
  ])("%o %o", async (options, lists, text) => {
    const error = await refused(options, lists);
    expect(error).toMatchObject({ code: "argument-invalid", exitCode: 2 });
    expect(error.message).toContain(text);
    expect(error.hint).toBeDefined();
  });
});
