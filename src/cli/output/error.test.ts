import { expect, test } from "vitest";
import { reportOf } from "./error.ts";

const systemError = (code: string) =>
  Object.assign(new Error(`${code}: no space left on device, write`), { code });

test.each(["ENOSPC", "EDQUOT"])("a full disk (%s) is no defect, and says what to do", (code) => {
  expect(reportOf(systemError(code))).toMatchObject({
    code: "disk-full",
    message: expect.stringContaining("no space left"),
    hint: expect.stringContaining("Make room"),
    exitCode: 1,
  });
});

test("what nobody foresaw is a defect", () => {
  expect(reportOf(systemError("EBADF"))).toMatchObject({ code: "defect", exitCode: 1 });
});
