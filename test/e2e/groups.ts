/**
 * The end-to-end tests in groups that follow each other; a file is in the second unless it is named here.
 * A test of the groups (`test/unit/e2e-groups.test.ts`) says which kinds of files have to be.
 */

/** These need no Kubernetes provider, which is compiled meanwhile. */
export const early = ["cluster-addons", "cluster-version"];

/** These take minutes, and begin first in their group. */
export const longest = ["conformance", "release-zoo", "state", "half-made"];

/** Two at a time, with nothing else beside them: clients under load, none of whom may fail, or whose latency is compared. */
export const paired = ["release-zoo", "release-load", "release-kills", "switch"];

/** One after the other, with nothing beside them: why. */
export const alone: Readonly<Record<string, string>> = {
  "cluster-images": "builds images, and looks at what is in the node",
  demo: "counts failed requests and measures on one page",
  "demo-mlserver": "starts a second cluster with servers that need both cores",
  "local-cluster": "starts, kills and compares all that is on the machine",
  "release-care": "fills the node: what is free there is part of the test",
  "release-faults": "kills and suspends the API server, etcd, the kubelet and the ingress controller",
  "release-modes": "changes what the node has to offer",
  servers: "servers that need both cores, and their idle connections measured",
};
