const hostLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** What is wrong with the host of an Ingress (RFC 1123, as Kubernetes checks it), or `undefined`. */
export function hostProblem(host: string): string | undefined {
  const shown = JSON.stringify(host);
  if (host === "") return "is empty; name the host that clients use, for example mlmodels.example.com";
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(host)?.[0];
  if (scheme !== undefined) {
    return `${shown} is a URL, not a host name; did you mean "${host.slice(scheme.length).split(/[/:]/)[0]}"?`;
  }
  if (host.includes("/"))
    return `${shown} contains a path; put it into ingress.path and keep "${host.split("/")[0]}"`;
  if (/:\d+$/.test(host)) {
    return `${shown} contains a port; keep "${host.replace(/:\d+$/, "")}" (ingress.endpoints says where the controller listens)`;
  }
  if (host.includes("*")) {
    return `${shown} is a wildcard; the proof at the ingress needs one host, for example "${host.replace("*", "models")}"`;
  }
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(host) || host.includes("[")) {
    return `${shown} is an address; an Ingress needs a host name`;
  }
  if (host !== host.toLowerCase())
    return `${shown} has upper-case letters; did you mean "${host.toLowerCase()}"?`;
  if (host.length > 253) return `${shown} is longer than 253 characters`;
  const wrong = host.split(".").find((label) => !hostLabel.test(label));
  if (wrong === undefined) return undefined;
  if (wrong === "") return `${shown} has an empty label (two dots, or a dot at an end)`;
  return `${shown} is no host name: "${wrong}" must be 1 to 63 lower-case letters, digits and -, no - at an end`;
}

/** Domains that are reserved for documentation and tests (RFC 2606, RFC 6761): nobody reaches a model there. */
export function isExampleHost(host: string): boolean {
  return /(^|\.)(example\.(com|net|org|edu)|example|test|invalid|localhost)$/i.test(host);
}

/** What is wrong with an image reference, or `undefined`. */
export function imageProblem(image: string): string | undefined {
  const shown = JSON.stringify(image);
  if (image === "") return "is empty";
  if (/\s/.test(image)) return `${shown} contains spaces`;
  if (/^[a-z]+:\/\//.test(image)) {
    return `${shown} is a URL, not an image; did you mean "${image.replace(/^[a-z]+:\/\//, "")}"?`;
  }
  const [named = "", digest] = image.split("@");
  if (digest !== undefined && !/^sha256:[0-9a-f]{64}$/.test(digest)) {
    return `${shown} has no valid digest after @ (sha256: and 64 hexadecimal digits)`;
  }
  const parts = named.split("/");
  const last = parts.at(-1) ?? "";
  const [name = "", tag] = last.split(":");
  if (tag !== undefined && !/^\w[\w.-]{0,127}$/.test(tag))
    return `${shown} has no valid tag after the last ":"`;
  const isRegistry = (part: string) => /[.:]/.test(part) || part === "localhost";
  const repository = [...parts.slice(0, -1), name].filter(
    (part, index) => !(index === 0 && parts.length > 1 && isRegistry(part)),
  );
  const upper = repository.find((part) => part !== part.toLowerCase());
  if (upper !== undefined)
    return `${shown} has upper-case letters in its repository; did you mean "${image.replace(upper, upper.toLowerCase())}"?`;
  if (repository.some((part) => !/^[a-z0-9]+([._-]+[a-z0-9]+)*$/.test(part)))
    return `${shown} is no image reference`;
  return undefined;
}
