/** How much runs at once while a release goes live. */
export type ReleaseMode =
  /** Both slots at full size. */
  | { readonly kind: "full" }
  /** The new release has `percent` of its replicas (1 to 99) while it is previewed, as many as its share asks for on the way, all before the cut-over. */
  | { readonly kind: "partial"; readonly percent: number }
  /** The live slot is emptied before the new release is deployed, for one scarce GPU: nobody is served meanwhile. */
  | { readonly kind: "recreate" };
