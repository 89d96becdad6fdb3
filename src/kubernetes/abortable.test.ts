import { expect, test } from "vitest";
import { abortableReads } from "./abortable.ts";
import type { ApiRequest, KubernetesApi } from "./api.ts";

/** Remembers the signals it was given. */
function recording(): { readonly api: KubernetesApi; readonly seen: (AbortSignal | undefined)[] } {
  const seen: (AbortSignal | undefined)[] = [];
  const note = (request: Pick<ApiRequest, "signal">) => seen.push(request.signal);
  return {
    seen,
    api: {
      server: "https://k",
      request: async (request) => {
        note(request);
        return { status: 200, headers: {}, body: "" };
      },
      json: async <T>(request: ApiRequest) => {
        note(request);
        return {} as T;
      },
      find: async (_path, options = {}) => {
        note(options);
        return undefined;
      },
      watch: async function* () {},
    },
  };
}

test("reads end with the command; writes, and reads with a signal of their own, do not", async () => {
  const { api, seen } = recording();
  const stop = new AbortController();
  const own = new AbortController().signal;
  const wrapped = abortableReads(api, stop.signal);
  await wrapped.find("/a");
  await wrapped.json({ method: "GET", path: "/a" });
  await wrapped.request({ method: "PUT", path: "/a" });
  await wrapped.json({ method: "GET", path: "/a", signal: own });
  expect(seen).toEqual([stop.signal, stop.signal, undefined, own]);
});

test("what is read to end in order, after the stop, is not given up", async () => {
  const { api, seen } = recording();
  const stop = new AbortController();
  const wrapped = abortableReads(api, stop.signal);
  stop.abort();
  await wrapped.find("/a");
  expect(seen).toEqual([undefined]);
});
