import { expect, test } from "vitest";
import { debianEquivalent } from "./base-image.ts";
import { baseImages, fullName } from "./containerfile.ts";

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
