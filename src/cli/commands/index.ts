import type { Command } from "../command.ts";
import { adopt } from "./adopt.ts";
import { clusterBuildImage } from "./cluster-build-image.ts";
import { clusterDown } from "./cluster-down.ts";
import { clusterKubectl } from "./cluster-kubectl.ts";
import { clusterList } from "./cluster-list.ts";
import { clusterLoadImage } from "./cluster-load-image.ts";
import { clusterLogs } from "./cluster-logs.ts";
import { clusterStatus } from "./cluster-status.ts";
import { clusterUp } from "./cluster-up.ts";
import { compare } from "./compare.ts";
import { configShow } from "./config-show.ts";
import { configValidate } from "./config-validate.ts";
import { destroy } from "./destroy.ts";
import { doctor } from "./doctor.ts";
import { history } from "./history.ts";
import { init } from "./init.ts";
import { logs } from "./logs.ts";
import { migrate } from "./migrate.ts";
import { plan } from "./plan.ts";
import { rbac } from "./rbac.ts";
import { reconcile } from "./reconcile.ts";
import { record } from "./record.ts";
import { release } from "./release.ts";
import { report } from "./report.ts";
import { reportSign, reportVerify } from "./report-sign.ts";
import { rollback } from "./rollback.ts";
import { abort, approve, pause, promote, resume } from "./rollout-control.ts";
import { routerTest } from "./router-test.ts";
import { run } from "./run.ts";
import { stateExport, stateImport, stateShow } from "./state.ts";
import { status } from "./status.ts";
import { switchCommand } from "./switch.ts";
import { unlock } from "./unlock.ts";
import { up } from "./up.ts";
import { versionCommand } from "./version.ts";

/** All commands, in the order of the help. Their files load nothing heavy before they run. */
export const commands: readonly Command[] = [
  init,
  adopt,
  doctor,
  plan,
  up,
  migrate,
  switchCommand,
  release,
  approve,
  promote,
  pause,
  resume,
  abort,
  rollback,
  reconcile,
  status,
  logs,
  history,
  report,
  reportSign,
  reportVerify,
  compare,
  record,
  unlock,
  destroy,
  run,
  rbac,
  stateShow,
  stateExport,
  stateImport,
  configShow,
  configValidate,
  routerTest,
  clusterUp,
  clusterDown,
  clusterStatus,
  clusterList,
  clusterLogs,
  clusterLoadImage,
  clusterBuildImage,
  clusterKubectl,
  versionCommand,
];
