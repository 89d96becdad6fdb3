import { describe, expect, test } from "vitest";
import { testBench } from "../../../test/support/rollout-bench.ts";
import type { Observation } from "../observe/observation.ts";
import type { ProbeRequest } from "../proof/probe-request.ts";
import { changedAnswers, seenAnswers, settledAnswers } from "./answers.ts";

const observation = {
  ingress: { name: "fraud", className: "nginx", tlsHosts: [], addresses: ["192.0.2.1"] },
} as unknown as Observation;

type Answer = { status: number; headers: Record<string, string>; body: string };

function asking(answer: (request: ProbeRequest) => Answer, path = "/") {
  const context = testBench().context();
  const probed: string[] = [];
  const look = () =>
    seenAnswers(
      {
        ...context,
        config: { ...context.config, endpoints: [] },
        probe: async (request) => {
          probed.push(`${request.endpoint.url} ${request.host}${request.path}`);
          return answer(request);
        },
      },
      { ingress: { host: "a.io", path, also: [{ host: "b.io", path }] } },
      observation,
    );
  return { context, look, probed };
}

const page = (status: number, headers: Record<string, string> = {}): Answer => ({
  status,
  headers,
  body: "",
});

describe("what clients get", () => {
  test("is asked at both ports, for every host", async () => {
    const { look, probed } = asking(() => page(200), "/fraud(/|$)(.*)");
    await look();
    expect([...new Set(probed)].toSorted()).toEqual([
      "http://192.0.2.1:80 a.io/fraud",
      "http://192.0.2.1:80 b.io/fraud",
      "https://192.0.2.1:443 a.io/fraud",
      "https://192.0.2.1:443 b.io/fraud",
    ]);
  });

  test("is a redirect, a header, the name of a cookie; not what differs from answer to answer", async () => {
    let count = 0;
    const { look } = asking(() => {
      count += 1;
      return page(308, {
        location: "https://a.io/",
        "set-cookie": `sticky=${count}; Path=/`,
        date: `${count}`,
      });
    });
    const [first] = await look();
    expect(first?.answers).toEqual(["status 308, location: https://a.io/, cookie sticky"]);
  });

  test("no answer is something to compare, too", async () => {
    const { look } = asking(({ endpoint }) => {
      if (endpoint.protocol === "https") throw new Error("connect ECONNREFUSED");
      return page(200);
    });
    const seen = await look();
    expect(seen.map(({ answers }) => answers[0])).toEqual([
      ...["status 200", "status 200"],
      ...["no answer (connect ECONNREFUSED)", "no answer (connect ECONNREFUSED)"],
    ]);
  });
});

describe("changes", () => {
  const seen = (...answers: string[]) => [{ question: "q", answers }];

  test("are answers that nobody got before", () => {
    expect(changedAnswers(seen("status 308"), seen("status 200"))).toEqual([
      "q: status 200; before: status 308",
    ]);
    expect(changedAnswers(seen("status 200", "status 503"), seen("status 200"))).toEqual([]);
  });

  test("that pass are none; those that stay are told", async () => {
    const before = [{ question: "http://192.0.2.1:80 for a.io/", answers: ["status 308"] }];
    let status = 200;
    let looks = 0;
    const { context, look } = asking(() => page(status));
    const watched = async () => {
      looks += 1;
      if (looks === 4) status = 308;
      return await look();
    };
    expect(await settledAnswers(context, watched, before)).toEqual([]);
    status = 200;
    looks = 100;
    expect(await settledAnswers(context, watched, before)).toEqual([
      "http://192.0.2.1:80 for a.io/: status 200; before: status 308",
    ]);
  });
});
