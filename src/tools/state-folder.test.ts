import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { stateFolder } from "./state-folder.ts";

describe("stateFolder", () => {
  it("is the variable's, else the XDG folder's, else the home folder's", () => {
    const home = { HOME: "/nowhere/ada" };
    expect(stateFolder({ ...home, MODELSWITCH_STATE: "/nowhere/ms", XDG_STATE_HOME: "/xdg" })).toBe(
      "/nowhere/ms",
    );
    expect(stateFolder({ ...home, XDG_STATE_HOME: "/xdg" })).toBe("/xdg/modelswitch");
    expect(stateFolder({ ...home, XDG_STATE_HOME: "relative" })).toBe(
      "/nowhere/ada/.local/state/modelswitch",
    );
    expect(stateFolder(home)).toBe("/nowhere/ada/.local/state/modelswitch");
  });

  it("is told without symbolic links, even where it does not exist yet", () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "modelswitch-state-")));
    try {
      mkdirSync(join(folder, "real"));
      symlinkSync("real", join(folder, "link"));
      const path = stateFolder({ MODELSWITCH_STATE: join(folder, "link", "not", "there") });
      expect(path).toBe(join(folder, "real", "not", "there"));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
