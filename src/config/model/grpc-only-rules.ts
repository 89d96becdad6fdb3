import { isFields, valueAt } from "../../core/fields.ts";
import type { ConfigProblem } from "../parts/problem.ts";

/** What a server without HTTP needs and cannot have. Reads the raw input. */
export function grpcOnlyProblems(input: object): ConfigProblem[] {
  const read = (...path: string[]) => valueAt(input, path);
  const isGrpcOnly = read("server", "grpcOnly") !== undefined || read("server", "http") === false;
  const runs = [["release"], ["slots", "blue"], ["slots", "green"]].filter((path) => isFields(read(...path)));
  const marked = runs.filter((path) => read(...path, "mark") !== undefined);
  if (!isGrpcOnly) {
    return marked.map((path) => ({
      path: [...path, "mark"],
      message: "is only for model servers without HTTP (grpcOnly); of others the pods are asked",
    }));
  }
  const problems: ConfigProblem[] = [];
  const protocol = read("ingress", "protocol");
  if (protocol !== "grpc") {
    const message = `must be "grpc", since the model server has no HTTP${protocol === "grpcs" ? ", and Kubernetes' probes of gRPC cannot speak TLS" : ""}`;
    problems.push({ path: ["ingress", "protocol"], message });
  }
  for (const path of runs) {
    if (read(...path, "image") === undefined || read(...path, "mark") !== undefined) continue;
    const message =
      "is missing: the model server has no HTTP, so its pods cannot be asked; say what this release's answers have where grpcOnly looks";
    problems.push({ path: [...path, "mark"], message });
  }
  if (read("rollout", "warmUp") !== undefined) {
    const message =
      "asks over HTTP, and the model server has none; leave it out, and let the server warm itself up before its health service says SERVING";
    problems.push({ path: ["rollout", "warmUp"], message });
  }
  if (read("identity") !== undefined) {
    const message =
      "asks over HTTP, and the model server has none; server.grpcOnly says how slots are told apart";
    problems.push({ path: ["identity"], message });
  }
  return problems;
}
