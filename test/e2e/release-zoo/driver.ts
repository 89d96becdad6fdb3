import { expect } from "vitest";
import { zooImage } from "../../images/zoo-image.ts";
import { ModelProject } from "../model-project.ts";
import { ZooClients } from "./clients.ts";
import { gateOf, readDigits, writeCases } from "./gates.ts";
import { IngressErrorWatch } from "./ingress-errors.ts";
import type { Kind } from "./kinds.ts";
import { networkOf } from "./network.ts";
import { type Digit, inferPath, tensorOf } from "./requests.ts";

const mebibytes = 64;
/** A digit of which a model is less sure is no golden case. */
const leastSure = 0.9;

/** How a release of the zoo ended, for the table. */
export interface Ended {
  readonly kind: string;
  readonly outcome: string;
  /** Who sent it back, and where. */
  readonly gate: string | undefined;
  readonly phase: string | undefined;
  readonly seconds: number;
  /** Of clients, while it was released. */
  readonly requests: number;
  readonly evidence: string | undefined;
}

interface Report {
  /** Not before its old slot is scaled down. */
  readonly outcome?: string;
  readonly verdicts: readonly {
    readonly gate: string;
    readonly phase: string;
    readonly verdict: string;
    readonly evidence: string;
  }[];
}

/** A model that is live, and one release of each kind after the other beside it. */
export class Zoo {
  readonly #project: ModelProject;
  readonly #digits: readonly Digit[];
  #live = "1";
  #slot: "blue" | "green" = "blue";
  #last = 1;

  private constructor(project: ModelProject, digits: readonly Digit[]) {
    this.#project = project;
    this.#digits = digits;
  }

  static async create(): Promise<Zoo> {
    const project = await ModelProject.create("zoo");
    const digits = await readDigits();
    const networks = await Promise.all([{}, { MODEL: "large" }, { PRECISION: "int8" }].map(networkOf));
    const isSure = ({ input, label }: Digit) =>
      networks.every(
        (network) => network.label(input) === label && Math.max(...network.scores(input)) >= leastSure,
      );
    await writeCases(project.folder, digits, isSure);
    const zoo = new Zoo(project, digits);
    await zoo.#configure(undefined);
    await project.result(["up"]);
    return zoo;
  }

  async remove(): Promise<void> {
    await this.#project.remove();
  }

  /** Releases one kind beside the live model while clients ask, and makes sure that it ends as it should. */
  async release(kind: Kind): Promise<Ended> {
    const project = this.#project;
    await this.#configure(kind);
    this.#last += 1;
    const version = String(this.#last);
    const ingress = await IngressErrorWatch.watch(project, this.#slot);
    const clients = new ZooClients({
      url: project.ingressUrl,
      host: project.host,
      rate: kind.rate,
      mix: kind.mix,
      digits: this.#digits,
      seed: this.#last,
    });
    const startedAt = performance.now();
    const changes = Object.entries({ ...kind.env, VERSION: version }).flatMap(([name, value]) => [
      "--set",
      `env.${name}=${value}`,
    ]);
    const released = await project.command(["release", "--json", ...changes]);
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    const seen = await clients.stop();
    const errors = await ingress.stop();
    const report = (await project.result(["report"])) as unknown as Report;
    const failed = report.verdicts.filter(({ verdict }) => verdict === "fail");
    const ended: Ended = {
      kind: kind.name,
      outcome: report.outcome ?? "live",
      gate: failed.map(({ gate }) => gate).join(", ") || undefined,
      phase: failed[0]?.phase,
      seconds,
      requests: seen.requests,
      evidence: failed[0]?.evidence,
    };
    const context = JSON.stringify({ ...ended, verdicts: report.verdicts }, null, 1);
    const live = seen.versions[this.#live];
    expect(live?.requests, context).toBeGreaterThan(0);
    expect(live?.wrong.length, `${live?.wrong.slice(0, 5).join("; ")}, of live's share, ${context}`).toBe(0);
    // Answers without a version are the other slot's: the ingress has counted them, and none for live.
    expect(errors.live, `5xx of live's share, ${context}`).toBeLessThanOrEqual(live?.refused ?? 0);
    expect(seen.nobody.length, `${seen.nobody.slice(0, 5).join("; ")}, ${context}`).toBeLessThanOrEqual(
      errors.other,
    );
    const ending = kind.ending;
    switch (ending.kind) {
      case "completes":
        expect(released.exitCode, context).toBe(0);
        expect(ended.outcome, context).toBe("live");
        expect(failed, context).toEqual([]);
        for (const gate of kind.gates) {
          const last = report.verdicts.findLast((one) => one.gate === gate);
          expect(last?.verdict, `${gate}: ${last?.evidence}`).toBe("pass");
        }
        expect(seen.versions[version]?.wrong.slice(0, 5), context).toEqual([]);
        this.#live = version;
        this.#slot = this.#slot === "blue" ? "green" : "blue";
        break;
      case "sent-back":
        expect(released.exitCode, `${context}\n${released.stderr}`).toBe(3);
        expect(ended, context).toMatchObject({ gate: ending.gate, phase: ending.phase });
        expect(ended.evidence, context).toContain(ending.saying);
        // Who is refused while it is verified, no client has met.
        if (ending.phase === "verify") expect(Object.keys(seen.versions), context).toEqual([this.#live]);
        break;
    }
    return ended;
  }

  async #configure(kind: Kind | undefined): Promise<void> {
    const row = this.#digits[0]?.input ?? [];
    const limits = { memory: `${mebibytes}Mi` };
    await this.#project.configure(
      {
        slots: undefined,
        release: {
          image: zooImage,
          replicas: 1,
          imagePullPolicy: "Never",
          env: { VERSION: "1" },
          resources: { limits },
        },
        rollout: {
          settle: 1,
          soak: 1,
          drain: 1,
          rollbackWindow: 600,
          // Longer than the one that is cold for half a minute needs; those that are slow for good wait as long.
          warmUp: { path: inferPath, body: { inputs: [tensorOf([row])] }, deadline: 45 },
          ...(kind === undefined ? {} : { ...stepsOf(kind), gates: gatesOf(kind) }),
        },
      },
      {
        identity: { path: "/v2/models/digits", from: { kind: "header", name: "x-model-version" } },
        preStopSleepSeconds: 1,
        longestRequestSeconds: 5,
      },
    );
  }
}

function gatesOf(kind: Kind): object[] {
  return kind.gates.map((name) => {
    const [sight] = kind.sights.filter((one) => "inputs" in one && one.gate === name);
    return gateOf(name, sight !== undefined && "inputs" in sight ? sight.inputs : undefined);
  });
}

const stepsOf = ({ step }: Kind) => ({ steps: `${step.percent}%:${step.seconds}s` });
