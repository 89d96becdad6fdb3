import type { BuiltInRouterName, RouterName } from "../../core/router-names.ts";
import type { RouterCapabilities } from "./router.ts";

/** What a router can that weighs both slots in one object, unless it says otherwise. */
export const weighted = {
  weights: true,
  fineShares: false,
  commit: false,
  header: true,
  testers: false,
  cookie: false,
  headerRegex: false,
  mirror: false,
  mirrorPercent: false,
  sticky: false,
  stickyOverridesHeader: false,
  reloadOnSwitch: false,
  needsUnionService: false,
  timeout: false,
  bodySize: false,
  backendProtocol: false,
} as const satisfies RouterCapabilities;

/**
 * What each router can do, as data: types, messages and docs/routers/README.md follow from it. One row for each router.
 * `undefined`: it depends on the controller.
 */
export const routerCapabilities = {
  nginx: {
    weights: true,
    fineShares: true,
    commit: true,
    header: true,
    testers: true,
    cookie: true,
    headerRegex: false,
    mirror: false,
    mirrorPercent: false,
    sticky: "pin",
    stickyOverridesHeader: undefined,
    reloadOnSwitch: undefined,
    needsUnionService: false,
    timeout: true,
    bodySize: true,
    backendProtocol: true,
  },
  plain: {
    weights: false,
    fineShares: false,
    commit: false,
    header: false,
    testers: false,
    cookie: false,
    headerRegex: false,
    mirror: false,
    mirrorPercent: false,
    sticky: false,
    stickyOverridesHeader: undefined,
    reloadOnSwitch: undefined,
    needsUnionService: false,
    timeout: false,
    bodySize: false,
    backendProtocol: false,
  },
  traefik: {
    ...weighted,
    fineShares: true,
    testers: true,
    cookie: true,
    mirror: true,
    mirrorPercent: true,
    sticky: "pin",
    backendProtocol: true,
  },
  "gateway-api": {
    ...weighted,
    fineShares: true,
    testers: true,
    cookie: true,
    mirror: true,
    mirrorPercent: true,
    backendProtocol: "https",
  },
  "gateway-api-grpc": {
    ...weighted,
    fineShares: true,
    backendProtocol: true,
  },
  contour: {
    ...weighted,
    fineShares: true,
    testers: true,
    cookie: true,
    mirror: true,
    mirrorPercent: true,
    timeout: true,
    backendProtocol: true,
  },
  haproxy: {
    ...weighted,
    reloadOnSwitch: true,
    needsUnionService: true,
    timeout: true,
    bodySize: true,
    backendProtocol: true,
  },
  "haproxy-tech": {
    ...weighted,
    fineShares: true,
    reloadOnSwitch: true,
    timeout: true,
    backendProtocol: true,
  },
  alb: {
    ...weighted,
    testers: true,
    cookie: true,
    backendProtocol: true,
  },
  istio: {
    ...weighted,
    fineShares: true,
    testers: true,
    cookie: true,
    mirror: true,
    mirrorPercent: true,
    timeout: true,
  },
  "nginx-inc": {
    ...weighted,
    testers: true,
    cookie: true,
    reloadOnSwitch: true,
    timeout: true,
    bodySize: true,
    backendProtocol: true,
  },
} as const satisfies Readonly<Record<BuiltInRouterName, RouterCapabilities>>;

/** Whether a router can do something, as far as its name says: of a user's own it is asked when the configuration is read. */
export type Can<
  Router extends RouterName,
  Capability extends keyof RouterCapabilities,
> = Router extends BuiltInRouterName
  ? (typeof routerCapabilities)[Router][Capability] extends false
    ? false
    : true
  : true;

/** What the table says of a router that is built in, as far as its name says which. */
export type Said<
  Router extends RouterName,
  Capability extends keyof RouterCapabilities,
> = Router extends BuiltInRouterName ? (typeof routerCapabilities)[Router][Capability] : undefined;
