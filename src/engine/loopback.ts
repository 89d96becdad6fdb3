type Environment = Readonly<Record<string, string | undefined>>;

const loopback = ["localhost", "127.0.0.1", "::1"];

/**
 * Variables that keep gRPC in Node.js and Python away from the user's proxy on this machine: engine, program and providers talk on
 * loopback, and unlike Go's these libraries send that through `https_proxy` too. Nothing where no proxy is named.
 */
export function withoutProxyOnLoopback(env: Environment): Readonly<Record<string, string>> {
  if (!["grpc_proxy", "https_proxy", "http_proxy"].some((name) => (env[name] ?? "") !== "")) return {};
  // It replaces `no_proxy` where it is set.
  const given = (env.no_grpc_proxy || env.no_proxy || "").split(",").map((name) => name.trim());
  return { no_grpc_proxy: [...new Set([...given.filter((name) => name !== ""), ...loopback])].join(",") };
}
