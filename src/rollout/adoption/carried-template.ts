import type { ReleaseTemplate } from "../../config/model/types.ts";
import type { Fields } from "../../core/fields.ts";
import type { ModelServer } from "../../core/model.ts";
import type { KubernetesFields } from "../../core/release-contents.ts";
import { asModel } from "./as-model.ts";
import type { Discovered } from "./discovered.ts";
import { inWords } from "./in-words.ts";
import {
  fieldsOf,
  gainedFields,
  lostFields,
  lostOfContainer,
  lostOfPod,
  lostOfSpec,
  nextDeployment,
} from "./losses.ts";

/** What runs as the template of the next release. */
export interface Carried {
  readonly release: ReleaseTemplate;
  /** What later releases would be without all the same. */
  readonly lost: readonly string[];
  /** What later releases have and the pods that were found have not. */
  readonly gained: readonly string[];
}

/** Fields of which nothing is left to say once the words are said. */
const worded = {
  pod: ["containers", "initContainers", "volumes", "serviceAccount", "restartPolicy"],
  container: ["name", "image", "imagePullPolicy", "command", "args", "volumeMounts", "env"],
};

/**
 * The template of the next release, which has all that runs: in the configuration's words as far as there are any, and as Kubernetes has
 * it where what modelswitch would write is something else. Pure.
 */
export function carryOver(given: Discovered, model: string, server: ModelServer): Carried {
  const found = asModel(given);
  const words = inWords(found);
  const next = nextDeployment(model, found, words, server);
  const release = withFields(words, differing(found, next));
  const after = nextDeployment(model, found, release, server);
  return { release, lost: lostFields(found, after), gained: gainedFields(found, after) };
}

function differing({ deployment, container }: Discovered, next: Fields): KubernetesFields {
  const spec = fieldsOf(deployment.spec);
  const pod = fieldsOf(fieldsOf(spec.template).spec);
  const nextPod = fieldsOf(fieldsOf(next.template).spec);
  const [server = {}] = nextPod.containers as readonly Fields[];
  const ofContainer = new Set(
    lostOfContainer(container, server).flatMap((path) => /^container\.([A-Za-z]+)/.exec(path)?.[1] ?? []),
  );
  const pick = (from: Fields, fields: Iterable<string>, except: readonly string[]) =>
    Object.fromEntries(
      [...fields].filter((field) => !except.includes(field)).map((field) => [field, from[field]]),
    );
  const own = pick(container, ofContainer, worded.container);
  return {
    deployment: pick(spec, lostOfSpec(spec, next), []),
    pod: pick(pod, lostOfPod(pod, nextPod), worded.pod),
    container: {
      ...own,
      // Who says one half of a life cycle leaves the other to modelswitch.
      ...(own.lifecycle === undefined
        ? {}
        : { lifecycle: { ...fieldsOf(server.lifecycle), ...fieldsOf(own.lifecycle) } }),
    },
  };
}

function withFields(words: ReleaseTemplate, more: KubernetesFields): ReleaseTemplate {
  const former = words.kubernetes ?? {};
  const merged = {
    ...former,
    ...Object.fromEntries(
      (["deployment", "pod", "container"] as const).flatMap((place) => {
        const fields = { ...former[place], ...more[place] };
        return Object.keys(fields).length === 0 ? [] : [[place, fields]];
      }),
    ),
  };
  if (Object.keys(merged).length === 0) return words;
  const { resources, ...rest } = words;
  const isWhole = fieldsOf(more.container).resources !== undefined;
  return { ...rest, ...(resources === undefined || isWhole ? {} : { resources }), kubernetes: merged };
}
