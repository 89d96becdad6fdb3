import { spawn } from "node:child_process";

/** The kubectl of the cluster of the bench. */
export function kubectl(args: readonly string[], input = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.env.MODELSWITCH_TEST_KUBECTL ?? "kubectl", args, {
      env: { ...process.env, KUBECONFIG: process.env.MODELSWITCH_TEST_KUBECONFIG },
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (text: Buffer) => {
      stdout += text.toString();
    });
    child.stderr.on("data", (text: Buffer) => {
      stderr += text.toString();
    });
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve(stdout) : reject(new Error(`kubectl ${args.join(" ")}: ${stderr}`)),
    );
    child.stdin.end(input);
  });
}
