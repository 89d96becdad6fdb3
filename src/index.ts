/** The library: everything that a Pulumi program or a modelswitch.config.ts imports. */
export type {
  BlueGreenModelArgs,
  GuardKubeconfig,
  IngressArgs,
  SlotArgs,
} from "./component/arguments.ts";
export { BlueGreenModel } from "./component/blue-green-model.ts";
export { endpointOf, type IngressStatus } from "./component/endpoint.ts";
export { providerFromConfig } from "./component/provider.ts";
export {
  defineRouter,
  type OwnRouteInput,
  type OwnRouter,
  type OwnRouterInput,
} from "./component/routers/own.ts";
export type { PresetName, PresetServer } from "./component/servers/preset-server.ts";
export * from "./component/servers/presets.ts";
export type { CommonServerOptions } from "./component/servers/shared.ts";
export type { SlotOutputs } from "./component/slot-resources.ts";
export { defineConfig } from "./config/file/define.ts";
export type {
  ModelPart,
  ModelswitchConfig,
  OneModelConfig,
  ReleaseTemplate,
  SeveralModelsConfig,
} from "./config/model/types.ts";
export type {
  FreezeConfig,
  GateConfig,
  HookConfig,
  NotificationConfig,
  RolloutConfig,
  WindowConfig,
} from "./config/rollout/rollout-types.ts";
export { UserError } from "./core/errors.ts";
export type { GrpcIdentity, IdentityProbe } from "./core/identity.ts";
export type {
  DrainingEvidence,
  HttpProbe,
  InferenceProtocol,
  IngressSpec,
  MetricsEndpoint,
  ModelServer,
  ResourceAmounts,
  SlotSpec,
} from "./core/model.ts";
export type { OwnRouterName, RouterName } from "./core/router-names.ts";
export type { Routing, TrafficSplit } from "./core/routing.ts";
export { isSlot, type Slot, slots } from "./core/slots.ts";
