import { stringify } from "yaml";
import type { Credential } from "./certificates.ts";

/** A kubeconfig with everything in it; it holds a key, so it belongs in a file of mode 0600. */
export function kubeconfig(about: {
  /** Name of the context, the cluster and the user. */
  readonly name: string;
  readonly server: string;
  readonly authority: string;
  readonly client: Credential;
}): string {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  return stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      clusters: [
        {
          name: about.name,
          cluster: { server: about.server, "certificate-authority-data": base64(about.authority) },
        },
      ],
      users: [
        {
          name: about.name,
          user: {
            "client-certificate-data": base64(about.client.certificate),
            "client-key-data": base64(about.client.key),
          },
        },
      ],
      contexts: [{ name: about.name, context: { cluster: about.name, user: about.name } }],
      "current-context": about.name,
    },
    { lineWidth: 0 },
  );
}
