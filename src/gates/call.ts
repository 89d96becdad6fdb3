import { z } from "zod";
import { callOf, callShape, type FromEnvironment } from "../config/parts/call-shape.ts";
import { tied } from "../config/parts/tied.ts";
import type { Call } from "../core/calls.ts";
import { gateDefaults } from "../core/defaults.ts";
import { type ConfigurableGate, lookWithoutMemory } from "./kind.ts";

/** What is called. */
export interface CallSettings<Kind extends Call["kind"]> {
  readonly kind: Kind;
  readonly call: Call;
}

/** Asks a program or an address for its opinion of the release, once. */
const lookByCall = lookWithoutMemory<CallSettings<Call["kind"]>>(
  async (io, { name, call }, subject, signal) => {
    // Configurations are read without ever calling anybody.
    const { ask } = await import("../calls/ask.ts");
    const told = { ...subject, reach: await io.reach(signal) };
    return await ask(io.calls, call, { subject: told, occasion: { type: "gate", name } }, signal);
  },
);

const retries = { command: 0, webhook: 0 };

/** A program of this machine. */
export interface RunForm {
  /** The program and its arguments, without a shell; started in the folder of the configuration file. */
  readonly run: readonly string[];
}

export const commandGate: ConfigurableGate<RunForm, CallSettings<"command">> = {
  key: "run",
  schema: tied<RunForm>()(z.object({ run: callShape.run.unwrap() })),
  timeout: gateDefaults.timeout,
  settings: ({ run }, timeoutMs) => ({
    kind: "command",
    call: callOf({ run }, { timeout: timeoutMs / 1000, retries }),
  }),
  call: ({ call }) => call,
  look: lookByCall,
};

/** An address that gets a POST request with JSON. */
export interface UrlForm {
  /** `https://…`, or `http://` on this machine. */
  readonly url: string;
  /** The key of the signature (Standard Webhooks). @default not signed */
  readonly secret?: FromEnvironment;
  /** Allows `http://` to other machines, where anybody between can read it and answer. @default false */
  readonly insecure?: boolean;
}

const { url, secret, insecure } = callShape;

export const webhookGate: ConfigurableGate<UrlForm, CallSettings<"webhook">> = {
  key: "url",
  schema: tied<UrlForm>()(z.object({ url: url.unwrap(), secret, insecure })),
  timeout: gateDefaults.timeout,
  settings: (form, timeoutMs) => ({
    kind: "webhook",
    call: callOf(form, { timeout: timeoutMs / 1000, retries }),
  }),
  call: ({ call }) => call,
  look: lookByCall,
};
