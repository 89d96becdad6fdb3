import type { ModelProject } from "../../test/e2e/model-project.ts";
import { configureReleases, imageOf } from "../../test/e2e/release-project.ts";
import { replicas, type Subject, stepSeconds, usualWays, type Way } from "./subject.ts";

const slotOf = (version: string) => (version === "1" ? "blue" : "green");

/** modelswitch without gates of one's own; the old slot stays warm, as the peers' old pods do. */
export const ours: Subject = {
  name: "modelswitch",
  ways: usualWays,
  async deploy(project: ModelProject, way: Way) {
    const steps =
      way === "jump" ? "100%" : [25, 50, 100].map((share) => `${share}%:${stepSeconds}s`).join(", ");
    await configureReleases(project, {
      ...{ streamSeconds: 1, replicas, steps },
      ...{ rollbackWindow: 3600, settle: 0, soak: 0, drain: 0 },
    });
    await project.result(["up"]);
  },
  async release(project, version) {
    await project.result(["release", "--set", `image=${imageOf(version)}`]);
  },
  moved: {
    async prepare(project, version) {
      const { live } = await project.result(["status"]);
      if (live === slotOf(version)) throw new Error(`Version ${version} is live already.`);
    },
    async move(project, version) {
      await project.result(["switch", slotOf(version)]);
    },
  },
  async back(project) {
    await project.result(["rollback"]);
  },
};
