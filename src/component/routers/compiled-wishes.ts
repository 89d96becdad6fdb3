import type { BackendProtocol } from "../../core/model.ts";
import type { RouterName } from "../../core/router-names.ts";
import type { Sticky, TesterCookie, TesterHeader } from "../../core/testers.ts";
import type { Can, Said } from "./capabilities.ts";
import type { RouterCapabilities } from "./router.ts";

/**
 * What a router that is named in so many words cannot do does not compile. A router that is only known when the program runs is checked
 * then.
 */

type Capability = keyof RouterCapabilities;
type Wish<Router extends RouterName, One extends Capability, T> =
  Can<Router, One> extends true ? T : undefined;

/** Whether a type is several ones: what a name stands for is not known. */
type IsUnion<T, Whole = T> = [T] extends [never]
  ? false
  : T extends Whole
    ? [Whole] extends [T]
      ? false
      : true
    : never;

type ProtocolOf<Router extends RouterName> =
  Can<Router, "backendProtocol"> extends true
    ? Said<Router, "backendProtocol"> extends "https"
      ? "http" | "https"
      : BackendProtocol
    : "http";

/** Options of `ingress` that the router translates. */
interface RequestWishes<Router extends RouterName> {
  readonly timeout?: Wish<Router, "timeout", number>;
  readonly maxBodySize?: Wish<Router, "bodySize", string>;
  readonly protocol?: ProtocolOf<Router>;
}

/** What `BlueGreenModel` takes of its router. */
export type ArgumentWishes<Router extends RouterName> =
  IsUnion<Router> extends true
    ? unknown
    : {
        readonly router?: Router;
        readonly ingress: RequestWishes<Router>;
        readonly testers?: {
          readonly header?: Wish<Router, "testers", TesterHeader>;
          readonly cookie?: Wish<Router, "cookie", TesterCookie>;
        };
      };

/** What a configuration asks of its router. */
export type ConfigWishes<Router extends RouterName> =
  IsUnion<Router> extends true
    ? unknown
    : {
        readonly ingress: RequestWishes<Router>;
        readonly previewHeader?: Wish<Router, "header", string>;
        readonly routing?: {
          readonly testers?: {
            readonly header?: Wish<Router, "testers", TesterHeader>;
            readonly cookie?: Wish<Router, "cookie", TesterCookie>;
          };
          readonly sticky?: Wish<Router, "sticky", Sticky> | false;
        };
        readonly rollout?: {
          readonly steps?: Wish<Router, "weights", string>;
          readonly shadow?: Wish<Router, "mirror", number | object>;
        };
      };
