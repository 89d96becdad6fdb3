import { describe, expect, test } from "vitest";
import { podSecurityVerdict } from "./pod-security.ts";
import { warningTexts } from "./warnings.ts";

describe("warnings of an API server", () => {
  test.each([
    [undefined, []],
    ['299 - "one"', ["one"]],
    ['299 - "one, with a comma", 299 kube "say \\"two\\""', ["one, with a comma", 'say "two"']],
    ['299 - "dated" "Mon, 30 Nov 2026 02:00:00 GMT"', ["dated"]],
  ])("%s", (header, texts) => {
    expect(warningTexts(header)).toEqual(texts);
  });
});

describe("what pod security has against pods", () => {
  const text =
    'would violate PodSecurity "restricted:latest": runAsNonRoot != true (pod or container "model")';
  const label = (mode: string, level: string) => ({ [`pod-security.kubernetes.io/${mode}`]: level });

  test("the level that the namespace enforces refuses them", () => {
    expect(podSecurityVerdict([text], label("enforce", "restricted"))).toEqual({
      refused: [text],
      warned: [],
      unseen: [],
    });
  });

  test("one that it only warns of does not", () => {
    expect(podSecurityVerdict([text], label("warn", "restricted"))).toEqual({
      refused: [],
      warned: [text],
      unseen: [],
    });
    const both = { ...label("enforce", "privileged"), ...label("warn", "restricted") };
    expect(podSecurityVerdict([text], both)).toEqual({ refused: [], warned: [text], unseen: [] });
  });

  test("a looser level that is enforced beside a stricter warning is not known", () => {
    const both = { ...label("enforce", "baseline"), ...label("warn", "restricted") };
    expect(podSecurityVerdict([text], both)).toMatchObject({
      refused: [],
      warned: [text],
      unseen: [expect.stringContaining('"baseline"')],
    });
  });

  test("nor is one that the namespace does not warn of", () => {
    const silent = { ...label("enforce", "restricted"), ...label("warn", "privileged") };
    expect(podSecurityVerdict([], silent)).toMatchObject({
      refused: [],
      unseen: [expect.stringContaining('does not warn of (warn: "privileged")')],
    });
    expect(podSecurityVerdict([], label("enforce", "restricted")).unseen).toEqual([]);
  });

  test("without the namespace's labels a warning is a warning", () => {
    expect(podSecurityVerdict([text], undefined)).toEqual({ refused: [], warned: [text], unseen: [] });
  });

  test("a mistyped level is the strictest, as for the API server", () => {
    expect(podSecurityVerdict([text], label("enforce", "strict")).refused).toEqual([text]);
  });
});
