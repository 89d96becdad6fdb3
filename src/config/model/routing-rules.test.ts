import { describe, expect, test } from "vitest";
import { good, lines } from "./validate.fixture.ts";

const traefik = {
  ...good,
  router: "traefik",
  ingress: { ...good.ingress, endpoints: ["http://203.0.113.7"] },
};
const header = { name: "X-Team", value: "ml" };

describe("what a configuration asks of its router", () => {
  test.each<[string, object]>([
    ["testers and kept clients", { ...traefik, routing: { testers: { header }, sticky: "pin" } }],
    ["copies of requests", { ...traefik, rollout: { shadow: { for: 60, percent: 5 } } }],
    [
      "testers by the preview header",
      { ...good, previewHeader: "X-Team", routing: { testers: { header, cookie: { name: "tester" } } } },
    ],
    ["nothing", { ...good, router: "plain", routing: { sticky: false }, rollout: { steps: "100%:1m" } }],
  ])("is taken: %s", (_what, input) => {
    expect(lines(input)).toEqual([]);
  });

  test.each<[string, object, RegExp]>([
    [
      "shadow with nginx",
      { ...good, rollout: { shadow: 60 } },
      /^rollout\.shadow: .*traefik, gateway-api, contour/,
    ],
    [
      "half a per cent with nginx-inc",
      { ...good, router: "nginx-inc", rollout: { steps: "0.5%:1m, 5%" } },
      /^rollout\.steps: .*\(fineShares\).*Routers that can: nginx, traefik/,
    ],
    [
      "steps with plain",
      { ...good, router: "plain", rollout: { steps: "5%" } },
      /^rollout\.steps: .*Routers that can/,
    ],
    [
      "testers with plain",
      { ...good, router: "plain", routing: { testers: { header } } },
      /^routing\.testers\.header: .*nginx, traefik/,
    ],
    [
      "sticky with contour",
      { ...good, router: "contour", routing: { sticky: "pin" } },
      /^routing\.sticky: .*nginx/,
    ],
    [
      "a header beside nginx's own",
      { ...good, routing: { testers: { header } } },
      /^routing\.testers: .*previewHeader/,
    ],
    ["nobody", { ...good, routing: { testers: {} } }, /^routing\.testers: says of nobody/],
    [
      "a value that would be a rule",
      { ...traefik, routing: { testers: { header: { name: "A", value: "`) || Path(`/" } } } },
      /^routing\.testers\.header\.value: .*may have letters/,
    ],
    ["a wrong kind", { ...good, routing: { sticky: "hash" } }, /^routing\.sticky: /],
    ["too many copies", { ...traefik, rollout: { shadow: { for: 1, percent: 101 } } }, /^rollout\.shadow/],
    [
      "copies where one slot runs at a time",
      { ...traefik, rollout: { shadow: 60, mode: "recreate" } },
      /^rollout\.shadow: .*recreate/,
    ],
    [
      "a hook of a phase that there is not",
      { ...good, rollout: { hooks: [{ name: "a", before: "shadow", run: ["./a"] }] } },
      /^rollout\.hooks\[0\]\.before: "shadow" is no phase/,
    ],
    [
      "a gate of a phase that there is not",
      { ...good, rollout: { gates: [{ name: "a", phases: ["shadow"], run: ["./a"] }] } },
      /^rollout\.gates\[0\]\.phases\[0\]: "shadow" is no phase/,
    ],
  ])("is refused: %s", (_what, input, line) => {
    const found = lines(input);
    expect(
      found.filter((one) => line.test(one)),
      found.join("\n"),
    ).toHaveLength(1);
  });
});
