/** A model's URI, taken apart. */
export type ModelUri =
  /** Fetched by an init container; `uri` in the form that KServe's storage initializer knows. */
  | { readonly kind: "fetched"; readonly uri: string }
  | { readonly kind: "claim"; readonly claim: string; readonly path: string }
  | { readonly kind: "image"; readonly image: string };

export const modelUriSchemes = ["s3", "gs", "az", "http", "https", "hf", "pvc", "oci"] as const;

const claimName = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

/** Takes a URI apart, or says what is wrong with it. */
export function parseModelUri(
  uri: string,
): ModelUri | { readonly kind: "invalid"; readonly message: string } {
  const invalid = (message: string) => ({ kind: "invalid", message }) as const;
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(.*)$/s.exec(uri);
  const schemes = modelUriSchemes.map((scheme) => `${scheme}://`).join(", ");
  if (match === null) return invalid(`has no scheme; begin it with one of ${schemes}`);
  const [, scheme = "", rest = ""] = match;
  if (/\s/.test(uri)) return invalid("contains spaces");
  if (/^[^/]*@/.test(rest) && scheme !== "oci") {
    return invalid(
      "contains credentials, which would stand in the pod and in Pulumi's state; give them in model.fetcher.env, from a Secret",
    );
  }
  const [first = "", ...others] = rest.split("/");
  const path = others.join("/");
  switch (scheme) {
    case "s3":
    case "gs":
      if (first === "" || path === "") return invalid(`is not complete; write ${scheme}://BUCKET/PATH`);
      return { kind: "fetched", uri };
    case "hf":
      if (!/^[^/]+\/[^/]+$/.test(rest))
        return invalid("is not complete; write hf://ORGANISATION/MODEL or hf://ORGANISATION/MODEL:REVISION");
      return { kind: "fetched", uri };
    case "az": {
      const [container = "", ...within] = others;
      if (first === "" || container === "" || within.join("/") === "")
        return invalid("is not complete; write az://ACCOUNT/CONTAINER/PATH");
      return {
        kind: "fetched",
        uri: `https://${first}.blob.core.windows.net/${container}/${within.join("/")}`,
      };
    }
    case "http":
    case "https":
      if (first === "" || path === "") return invalid(`is not complete; write ${scheme}://HOST/PATH`);
      return { kind: "fetched", uri };
    case "pvc":
      if (!claimName.test(first)) return invalid("is not complete; write pvc://CLAIM/PATH");
      if (others.includes("..")) return invalid("leads out of the volume; leave .. out");
      return { kind: "claim", claim: first, path: path.replace(/\/+$/, "") };
    case "oci":
      if (rest === "") return invalid("is not complete; write oci://REGISTRY/IMAGE:TAG");
      return { kind: "image", image: rest };
    default:
      return invalid(`has the unknown scheme ${scheme}://; known are ${schemes}`);
  }
}
