import type { GrpcIdentity, IdentityProbe } from "../../core/identity.ts";
import type { DrainingEvidence, InferenceProtocol, MetricsEndpoint, ModelServer } from "../../core/model.ts";

/** What an option can be: how it is checked, and the type of its value. `config/model/preset-schema.ts` has the check of each. */
export interface OptionValues {
  readonly port: number;
  /** Whole seconds, from `minimum` on. */
  readonly seconds: number;
  /** 0 or more. */
  readonly "whole number": number;
  /** 0 or more. */
  readonly amount: number;
  readonly flag: boolean;
  /** Not empty. */
  readonly text: string;
  readonly "text or nothing": string;
  readonly path: string;
  readonly "path or false": string | false;
  readonly environment: Readonly<Record<string, string>>;
  readonly identity: IdentityProbe;
  readonly "gRPC identity": GrpcIdentity;
  readonly "other ports": Readonly<Record<string, number>>;
  readonly "keep-alive": number;
  readonly protocol: InferenceProtocol;
  readonly metrics: MetricsEndpoint;
  readonly draining: DrainingEvidence;
}

/** One option of a preset: its check, text and default, from which the schema of the configuration is made. */
export interface Option<Is extends keyof OptionValues, Value = OptionValues[Is]> {
  readonly is: Is;
  /** For people who write a configuration. @default what the kind says of itself */
  readonly about?: string;
  /** What the preset's function takes where nothing is said. @default none, or see `otherwise` */
  readonly default?: Value;
  /** The default in words, where it is no constant. @default none */
  readonly otherwise?: string;
  /** Of seconds. @default 0 */
  readonly minimum?: number;
}

/** The kinds whose values are just those of the option. */
type KindOf<Value> = {
  [Is in keyof OptionValues]: [Value, OptionValues[Is]] extends [OptionValues[Is], Value] ? Is : never;
}[keyof OptionValues];

/** Every option of a preset, neither more nor fewer, each of a kind that fits its type. */
export type OptionTable<Options> = {
  readonly [K in keyof Options]-?: Option<KindOf<NonNullable<Options[K]>>, NonNullable<Options[K]>>;
};

/** A model server that a configuration can name: everything that is known of it beside its page. */
export interface Preset<Options extends object> {
  readonly options: OptionTable<Options>;
  /**
   * What images with it are called, for `init --from`. A name alone proves nothing: ports and readiness path must fit, too.
   * @default no image is taken for it
   */
  readonly images?: RegExp;
  /** @throws UserError `server-invalid` */
  readonly server: (options: Options) => ModelServer;
}
