import { isVerdict, type WebhookCall } from "../core/calls.ts";
import { interrupted, messageOf } from "../core/errors.ts";
import { placeOf } from "../core/urls.ts";
import { type Attempt, asEvidence, decided, firstLine, isNotNow, unclear } from "./attempt.ts";
import type { CallIo, SendAnswer } from "./io.ts";
import type { CallPayload } from "./payload.ts";
import { messageHeaders, secretProblem, signedHeaders } from "./signature.ts";

/**
 * Sends the payload once, signed where there is a key.
 * @throws UserError `interrupted`
 */
export async function callWebhook(
  io: CallIo,
  call: WebhookCall,
  payload: CallPayload,
  signal: AbortSignal,
): Promise<Attempt> {
  const place = placeOf(call.url);
  const secret = call.secretEnv === undefined ? undefined : io.env[call.secretEnv];
  const problem = call.secretEnv === undefined ? undefined : secretProblem(secret);
  if (problem !== undefined) {
    return unclear(`the key for ${place} is missing: the variable ${call.secretEnv} ${problem}`, false);
  }
  const body = JSON.stringify(payload);
  const message = { id: payload.id, at: io.clock.now(), body };
  const headers = secret === undefined ? messageHeaders(message) : signedHeaders(message, secret);
  try {
    const answer = await io.send({ url: call.url, headers, body, timeoutMs: call.timeoutMs, signal });
    return verdictOf(place, answer);
  } catch (error) {
    if (signal.aborted) throw interrupted("A webhook");
    return unclear(`${place}: ${messageOf(error)}`, true);
  }
}

function verdictOf(place: string, { status, body }: SendAnswer): Attempt {
  const said = parsed(body);
  const words = said?.evidence ?? firstLine(body, 300);
  const evidence = `${place} answers HTTP ${status}${words === "" ? "" : `: ${words}`}`;
  if (status >= 200 && status <= 299) {
    if (said?.verdict === undefined) return decided("pass", evidence);
    if (isVerdict(said.verdict)) return decided(said.verdict, said.evidence || evidence);
    const known = "pass, fail, inconclusive, hold";
    return unclear(
      `${place} answers the verdict ${JSON.stringify(said.verdict)}, which is none of ${known}`,
      false,
    );
  }
  if (isNotNow(status)) return unclear(evidence, true);
  if (status >= 400) return decided("fail", evidence);
  return unclear(`${evidence}; redirects are not followed, so write the address that it leads to`, false);
}

/** What a JSON answer says of verdict and evidence; `undefined`: it is none. */
function parsed(
  body: string,
): { readonly verdict: unknown; readonly evidence: string | undefined } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { verdict, evidence } = value as Readonly<Record<string, unknown>>;
  return { verdict, evidence: typeof evidence === "string" ? asEvidence(evidence) : undefined };
}
