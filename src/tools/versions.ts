/** The versions of what runs beside modelswitch. Everything else about a version follows from this file. */
export const versions = {
  pulumi: "v3.259.0",
  /** The newest that is published as a Go module, under a pseudo-version; what is downloaded is `kubernetesProviderVersion` of the engine. */
  kubernetesProvider: "v4.25.0",
} as const;

/** What is accepted from PATH: the same major version, and at least this. */
export const oldestOnPath = { pulumi: "3.200.0" } as const;
