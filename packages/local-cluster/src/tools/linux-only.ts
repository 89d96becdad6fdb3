import type { Platform } from "../../../../src/support.ts";

/** Why a tool that exists for Linux alone can't be had elsewhere. */
export function linuxOnly(platform: Platform): string | undefined {
  return platform.os === "linux" ? undefined : `it only exists for Linux, and this is ${platform.os}`;
}
