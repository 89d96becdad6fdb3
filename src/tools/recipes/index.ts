import type { Recipe } from "../source.ts";
import type { ToolName } from "../tool.ts";
import { addons } from "./addons.ts";
import { buildah } from "./buildah.ts";
import { containerd } from "./containerd.ts";
import { etcd } from "./etcd.ts";
import { kubernetes } from "./kubernetes.ts";
import { kubernetesProvider } from "./kubernetes-provider.ts";
import { mmdebstrap } from "./mmdebstrap.ts";
import { pulumi } from "./pulumi.ts";
import { traefik } from "./traefik.ts";

/** Every tool that modelswitch obtains by itself. */
export const recipes: Readonly<Record<ToolName, Recipe>> = {
  addons,
  buildah,
  containerd,
  etcd,
  kubernetes,
  "kubernetes-provider": kubernetesProvider,
  mmdebstrap,
  pulumi,
  traefik,
};
