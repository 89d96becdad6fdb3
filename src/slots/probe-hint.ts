/** What the kubelet says of a probe, and what it means when a port speaks something else than it is asked in. */
const mismatches: readonly { readonly said: RegExp; readonly hint: string }[] = [
  {
    // The frames with which HTTP/2 begins; quoted or not, and escaped as Go does.
    said: /malformed HTTP response "?\\?"?\\x00\\x00/,
    hint: "The model server's port answers in HTTP/2 only, as one for gRPC does, and probes and proofs ask over HTTP: name the port that answers HTTP (`port`, or `httpPort`), and the one for gRPC as `otherPorts: { grpc: … }`. A server that has no HTTP at all is `custom({ grpcOnly })`.",
  },
  {
    said: /server gave HTTP response to HTTPS client/,
    hint: 'The pods answer without TLS, and `ingress.protocol` says that they take it: set it to "http", or let the model server take TLS.',
  },
  {
    said: /Get "http:.*(connection reset by peer|: EOF)/,
    hint: "The model server's port ends connections that speak HTTP, as one for gRPC or TLS only may do. Probes and proofs need HTTP: name the port that answers it (`port`, or `httpPort`), and the one for gRPC as `otherPorts: { grpc: … }` (without HTTP: `grpcOnly`); for TLS set `ingress.protocol` to \"https\". Else look at the pod's log.",
  },
  {
    // A TLS alert; servers in Go answer 400 instead.
    said: /malformed HTTP response "?\\?"?\\x15\\x03|HTTP probe failed with statuscode: 400/,
    hint: 'If the model server takes TLS only, set `ingress.protocol` to "https": probes, proofs and the ingress controller then use it, with any certificate. Else look at the pod\'s log.',
  },
];

/** What to do where the events of a pod say that its port speaks something else; `undefined`: they don't. Pure. */
export function probeHint(events: readonly string[]): string | undefined {
  return mismatches.find(({ said }) => events.some((event) => said.test(event)))?.hint;
}
