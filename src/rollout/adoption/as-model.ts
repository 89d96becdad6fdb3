import { modelContainer } from "../../component/deployment.ts";
import { isFields } from "../../core/fields.ts";
import type { Discovered } from "./discovered.ts";
import type { FoundContainer, FoundDeployment } from "./inventory.ts";

type Texts = Readonly<Record<string, string>>;

/**
 * What runs with its container called as in later releases, wherever the template speaks of it: in annotations, and where amounts of a
 * container are read. Only for comparing and describing: the cluster's own object is another one. Pure.
 */
export function asModel(found: Discovered): Discovered {
  const { name } = found.container;
  if (name === undefined || name === modelContainer) return found;
  const { spec } = found.deployment;
  const index = (spec?.template?.spec?.containers ?? []).indexOf(found.container);
  const pod = renamed(spec?.template?.spec, name) as { readonly containers?: readonly FoundContainer[] };
  const annotations = (spec?.template?.metadata as { readonly annotations?: Texts } | undefined)?.annotations;
  return {
    ...found,
    container: pod.containers?.[index] ?? found.container,
    deployment: {
      ...found.deployment,
      spec: {
        ...spec,
        template: {
          ...spec?.template,
          metadata: {
            ...spec?.template?.metadata,
            ...(annotations === undefined ? {} : { annotations: ofContainer(annotations, name) }),
          },
          spec: pod,
        },
      },
    } as FoundDeployment,
  };
}

function renamed(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return value.map((one) => renamed(one, name));
  if (!isFields(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === "resourceFieldRef" && isFields(inner) && inner.containerName === name
        ? { ...inner, containerName: modelContainer }
        : renamed(inner, name),
    ]),
  );
}

/** Annotations of a container have its name in theirs. */
function ofContainer(annotations: Texts, name: string): Texts {
  return Object.fromEntries(
    Object.entries(annotations).map(([key, value]) => {
      if (key === "kubectl.kubernetes.io/default-container" && value === name) return [key, modelContainer];
      const [prefix = "", last = ""] = key.split("/");
      if (prefix.startsWith("container.") && last === name) return [`${prefix}/${modelContainer}`, value];
      if (prefix === "ad.datadoghq.com" && last.startsWith(`${name}.`))
        return [`${prefix}/${modelContainer}${last.slice(name.length)}`, value];
      return [key, value];
    }),
  );
}
