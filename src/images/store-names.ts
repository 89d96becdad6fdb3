/** Programs that keep images on this machine, in the order in which they are asked. */
export const imageStores = ["docker", "podman", "buildah"] as const;
export type ImageStore = (typeof imageStores)[number];
