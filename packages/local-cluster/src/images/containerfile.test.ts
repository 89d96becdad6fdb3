import { describe, expect, test } from "vitest";
import { debianEquivalent } from "./base-image.ts";
import { baseImages, fullName, withArgumentsInKeys } from "./containerfile.ts";

test("finds what a Containerfile builds on", () => {
  const text = `
# FROM comment:1
FROM --platform=linux/amd64 python:3.11-slim AS build
RUN echo FROM nothing
from build
FROM scratch
FROM ghcr.io/owner/image@sha256:abc \\
  AS other
FROM python:3.11-slim
ARG BASE
FROM $BASE
`;
  expect(baseImages(text)).toEqual(["docker.io/library/python:3.11-slim", "ghcr.io/owner/image@sha256:abc"]);
});

test.each([
  ["python", "docker.io/library/python:latest"],
  ["owner/image:1", "docker.io/owner/image:1"],
  ["localhost/image", "localhost/image:latest"],
  ["registry:5000/image:1", "registry:5000/image:1"],
])("%s is %s in full", (name, full) => {
  expect(fullName(name)).toBe(full);
});

test.each([
  ["docker.io/library/python:3.11-slim", "bookworm"],
  ["docker.io/library/python:3.11-slim-bookworm", "bookworm"],
  ["docker.io/library/python:3.11", "bookworm"],
  ["docker.io/library/debian:trixie-slim", "trixie"],
  ["docker.io/library/python:3.11-slim-bullseye", undefined],
  ["docker.io/library/python:3.11-alpine", undefined],
  ["docker.io/library/python:3.12-slim", undefined],
  ["docker.io/library/nginx:1", undefined],
  ["ghcr.io/library/python:3.11-slim", undefined],
])("%s can be made of Debian %s", (name, release) => {
  expect(debianEquivalent(name)?.release).toBe(release);
});

describe("values of build arguments tell steps apart", () => {
  const label = /^LABEL io\.github\.modelswitch\.build-arguments\.\S+="[0-9a-f]{16}"$/;
  const added = (text: string, given: Record<string, string>) =>
    withArgumentsInKeys(text, given)
      .split("\n")
      .flatMap((line, index) => (label.test(line) ? [index + 1] : []));

  test("from the ARG on, and differently for each value", () => {
    const text = "FROM a\nRUN pip install x\nARG V=1\nENV V=$V\n";
    expect(added(text, { V: "1" })).toEqual([4]);
    expect(withArgumentsInKeys(text, { V: "1" })).not.toBe(withArgumentsInKeys(text, { V: "2" }));
    expect(withArgumentsInKeys(text, { V: "1" })).toContain("FROM a\nRUN pip install x\nARG V=1\nLABEL");
    expect(withArgumentsInKeys(text, { OTHER: "1" })).toBe(text);
  });

  test.each<[string, string, number[]]>([
    ["before the first stage there are no steps", "ARG V\nFROM a:$V\nARG V\n", [4]],
    ["each stage has its own", "FROM a\nARG V\nFROM b\narg V\n", [3, 6]],
    ["several at once", 'FROM a\nARG W="x y" V\n', [3]],
    ["over several lines", "FROM a\nARG \\\n  # why\n  V=1\n", [5]],
    ["in a RUN it is a word", "FROM a\nRUN echo \\\n  ARG V\n", []],
    ["in a here-document it is text", "FROM a\nRUN <<EOF\nARG V\nEOF\nARG V\n", [6]],
    ["in a comment it is one", "FROM a\n# ARG V \\\nARG V\n", [4]],
    ["with CRLF", "FROM a\r\nARG V\r\nENV V=$V\r\n", [3]],
  ])("%s", (_what, text, expected) => {
    expect(added(text, { V: "2" })).toEqual(expected);
  });
});
