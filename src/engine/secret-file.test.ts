import { spawnSync } from "node:child_process";
import { readlinkSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { secretDescriptor, secretFile } from "./secret-file.ts";

describe.runIf(process.platform === "linux")("a secret", () => {
  test("is read by the program, twice if need be, and has no name", () => {
    const file = secretFile("correct horse");
    if (file === undefined) throw new Error("There is a file on Linux.");
    try {
      expect(readlinkSync(`/proc/self/fd/${file.descriptor}`)).toContain("(deleted)");
      const stdio = ["ignore", "pipe", "inherit"] as (number | "ignore" | "pipe" | "inherit")[];
      stdio[secretDescriptor] = file.descriptor;
      const read = spawnSync("/bin/cat", [file.path, file.path], { stdio, encoding: "utf8" });
      expect(read.stdout).toBe("correct horsecorrect horse");
    } finally {
      file.close();
    }
  });
});

test("goes another way where a file would change it or could not be read twice", () => {
  expect(secretFile(" spaced ")).toBe(undefined);
  expect(secretFile("")).toBe(undefined);
  expect(secretFile("correct horse", "darwin")).toBe(undefined);
});
