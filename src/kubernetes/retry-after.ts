import type { Clock } from "../core/clock.ts";
import { interrupted } from "../core/errors.ts";
import { retryAfterMs } from "../core/met.ts";
import { type ApiRequest, type ApiResponse, type KubernetesApi, responseError } from "./api.ts";

const mostTries = 10;
const longestWaitMs = 10_000;

/**
 * The same API, which asks again where the API server is busy and says when: 429, or 5xx with Retry-After, as client-go does. What it
 * passes on from pods is theirs.
 */
export function askingAgain(api: KubernetesApi, clock: Clock): KubernetesApi {
  const request = async (asked: ApiRequest): Promise<ApiResponse> => {
    for (let tries = 1; ; tries++) {
      const answer = await api.request(asked);
      const wait = waitOf(asked, answer, clock.now());
      if (wait === undefined || tries >= mostTries) return answer;
      try {
        await clock.sleep(wait, asked.signal);
      } catch {
        throw interrupted("A request to the API server");
      }
    }
  };
  return {
    server: api.server,
    request,
    json: async <T>(asked: ApiRequest) => {
      const answer = await request(asked);
      if (answer.status >= 400) throw responseError(asked, answer);
      return JSON.parse(answer.body) as T;
    },
    find: async <T>(path: string, options: Omit<ApiRequest, "method" | "path"> = {}) => {
      const asked: ApiRequest = { ...options, method: "GET", path };
      const answer = await request(asked);
      if (answer.status === 404) return undefined;
      if (answer.status >= 400) throw responseError(asked, answer);
      return JSON.parse(answer.body) as T;
    },
    watch: (path, options) => api.watch(path, options),
  };
}

function waitOf({ path }: ApiRequest, { status, headers }: ApiResponse, now: number): number | undefined {
  if (path.includes("/proxy/") || (status !== 429 && status < 500)) return undefined;
  const wait = retryAfterMs(headers["retry-after"], now);
  return wait === undefined ? undefined : Math.min(longestWaitMs, Math.max(100, wait));
}
