import type { Platform } from "../source.ts";

/** The processor as Go and most releases call it. */
export function goArchitecture({ cpu }: Platform): string {
  return cpu === "x64" ? "amd64" : cpu;
}

/** The operating system as Go and most releases call it. */
export function goSystem({ os }: Platform): string {
  return os === "win32" ? "windows" : os;
}

/** File name of a program. */
export function executable(name: string, { os }: Platform): string {
  return os === "win32" ? `${name}.exe` : name;
}
