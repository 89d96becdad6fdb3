import {
  controllerNamed,
  controllerOfIngressClass,
  type IgnoredAnnotation,
  ignoredAnnotations,
  type KnownController,
} from "../../core/controllers.ts";
import type { IngressSpec } from "../../core/model.ts";
import type { Router } from "./router.ts";

/** How the controller of an IngressClass reads what a router writes for it. */
export interface Reader {
  readonly controller: KnownController;
  /** For whom the router writes, in words, where this controller takes its objects for something else. @default it reads them as they are meant */
  readonly meantFor: string | undefined;
  /** Free annotations that others would read. */
  readonly ignored: readonly IgnoredAnnotation[];
}

/** @param controllerOfClass `spec.controller` of the class. `undefined` is returned where it is nobody's who is known. Pure. */
export function readerOf(
  { readBy }: Pick<Router, "readBy">,
  { annotations = {} }: Pick<IngressSpec, "annotations">,
  controllerOfClass: string,
): Reader | undefined {
  const controller = controllerOfIngressClass(controllerOfClass);
  if (controller === undefined) return undefined;
  const isRead = readBy === undefined || readBy.includes(controller.name);
  return {
    controller,
    meantFor: isRead ? undefined : readBy.map((name) => controllerNamed(name).title).join(" or "),
    ignored: ignoredAnnotations(annotations, controller),
  };
}
