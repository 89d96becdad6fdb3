import {
  Metadata,
  Server,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import pluginPb, { type PluginAttach } from "@pulumi/pulumi/proto/plugin_pb.js";
import providerGrpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import type {
  CheckRequest,
  ConfigureRequest,
  CreateRequest,
  DeleteRequest,
  DiffRequest,
  ReadRequest,
  UpdateRequest,
} from "@pulumi/pulumi/proto/provider_pb.js";
import providerPb from "@pulumi/pulumi/proto/provider_pb.js";
import statusPb from "@pulumi/pulumi/proto/status_pb.js";
import anyPb from "google-protobuf/google/protobuf/any_pb.js";
import emptyPb from "google-protobuf/google/protobuf/empty_pb.js";
import type { EventSink } from "../core/events.ts";
import type { Autonaming } from "./check.ts";
import { InitializationError, messageWithHint } from "./errors.ts";
import { engineLog, eventLog, type ResourceLog } from "./host.ts";
import { Provider, type ProviderOptions, unsupported } from "./provider.ts";
import { checkConfig, diffConfig } from "./provider-config.ts";
import { fromStruct, toStruct } from "./struct.ts";

/** The version of the `kubernetes` package whose tokens and behaviour are served. */
export const providerVersion = "4.34.2";

/** The gRPC face: translates messages, keeps one `Provider` per connection, and has no other behaviour. */
export function makeServer(
  options: ProviderOptions,
  events?: EventSink,
): { readonly server: Server; close(): void } {
  const connections = new Connections(options, events);
  const server = new Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
  const { ResourceProviderService } = providerGrpc;
  server.addService(ResourceProviderService, methods(connections));
  return { server, close: () => connections.close() };
}

/**
 * The engine opens one connection for each provider of the program, and all of them come to this server: the peer's
 * address tells them apart.
 */
class Connections {
  readonly #options: ProviderOptions;
  readonly #events: EventSink | undefined;
  readonly #providers = new Map<string, Provider>();
  readonly #logs = new Map<string, ResourceLog>();

  constructor(options: ProviderOptions, events: EventSink | undefined) {
    this.#options = options;
    this.#events = events;
  }

  of(peer: string): Provider {
    let provider = this.#providers.get(peer);
    if (provider === undefined) {
      provider = new Provider(this.#options, this.#logs.get(peer) ?? eventLog(this.#events));
      this.#providers.set(peer, provider);
    }
    return provider;
  }

  attach(peer: string, engineAddress: string): void {
    this.#logs.get(peer)?.close();
    const log = engineLog(engineAddress);
    this.#logs.set(peer, log);
    this.of(peer).log = log;
  }

  close(): void {
    for (const provider of this.#providers.values()) provider.cancel();
    for (const log of this.#logs.values()) log.close();
  }
}

type Unary<Request, Response> = (
  call: ServerUnaryCall<Request, Response>,
  done: sendUnaryData<Response>,
) => void;

/** A gRPC method from an async function; whatever it throws becomes a gRPC error. */
function unary<Request, Response>(
  work: (request: Request, peer: string) => Promise<Response> | Response,
): Unary<Request, Response> {
  return (call, done) => {
    Promise.resolve()
      .then(() => work(call.request, call.getPeer()))
      .then(
        (response) => done(null, response),
        (error: unknown) => done(toServiceError(error)),
      );
  };
}

function methods(connections: Connections): UntypedServiceImplementation {
  return {
    getPluginInfo: unary(() => {
      const info = new pluginPb.PluginInfo();
      info.setVersion(providerVersion);
      return info;
    }),
    // `pulumi import` asks for it when it has imported, to write code.
    getSchema: (_call: unknown, answer: sendUnaryData<never>) =>
      answer({
        code: status.UNIMPLEMENTED,
        details:
          "the embedded provider has no schema, so no code can be written for what is in the state now: declare it yourself, and give `pulumi import` --generate-code=false next time",
      }),
    attach: unary((request: PluginAttach, peer) => {
      connections.attach(peer, request.getAddress());
      return new emptyPb.Empty();
    }),
    checkConfig: unary((request: CheckRequest) => {
      const response = new providerPb.CheckResponse();
      response.setInputs(request.getNews());
      for (const { property, reason } of checkConfig(request.getUrn(), fromStruct(request.getNews()))) {
        response.addFailures(failure(property, reason));
      }
      return response;
    }),
    diffConfig: unary((request: DiffRequest) => {
      const { changed, replaces } = diffConfig(fromStruct(request.getOlds()), fromStruct(request.getNews()));
      const response = new providerPb.DiffResponse();
      const { DIFF_NONE, DIFF_SOME } = providerPb.DiffResponse.DiffChanges;
      response.setChanges(changed.length === 0 ? DIFF_NONE : DIFF_SOME);
      response.setDiffsList([...changed]);
      response.setReplacesList([...replaces]);
      return response;
    }),
    configure: unary((request: ConfigureRequest, peer) => {
      connections.of(peer).configure(new Map(request.getVariablesMap().getEntryList() as [string, string][]));
      const response = new providerPb.ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setSupportspreview(true);
      response.setSupportsAutonamingConfiguration(true);
      return response;
    }),
    check: unary(async (request: CheckRequest, peer) => {
      const result = await connections.of(peer).check({
        urn: request.getUrn(),
        olds: fromStruct(request.getOlds()),
        news: fromStruct(request.getNews()),
        randomSeed: request.getRandomseed_asU8(),
        autonaming: autonamingOf(request),
      });
      const response = new providerPb.CheckResponse();
      if (result.ok) response.setInputs(toStruct(result.inputs));
      else response.addFailures(failure("metadata", result.reason));
      return response;
    }),
    diff: unary(async (request: DiffRequest, peer) => {
      const diff = await connections.of(peer).diff({
        urn: request.getUrn(),
        olds: fromStruct(request.getOlds()),
        news: fromStruct(request.getNews()),
        ignoreChanges: request.getIgnorechangesList(),
      });
      const response = new providerPb.DiffResponse();
      const { DIFF_NONE, DIFF_SOME } = providerPb.DiffResponse.DiffChanges;
      response.setChanges(diff.changes.size === 0 ? DIFF_NONE : DIFF_SOME);
      response.setReplacesList([...diff.replaces]);
      response.setDeletebeforereplace(diff.deleteBeforeReplace);
      response.setHasdetaileddiff(true);
      const { Kind } = providerPb.PropertyDiff;
      const kinds = {
        add: [Kind.ADD, Kind.ADD_REPLACE],
        delete: [Kind.DELETE, Kind.DELETE_REPLACE],
        update: [Kind.UPDATE, Kind.UPDATE_REPLACE],
      } as const;
      for (const [path, change] of diff.changes) {
        const property = new providerPb.PropertyDiff();
        property.setKind(kinds[change.kind][change.replaces ? 1 : 0]);
        property.setInputdiff(change.inputDiff);
        response.getDetaileddiffMap().set(path, property);
      }
      return response;
    }),
    create: unary(async (request: CreateRequest, peer) => {
      const { id, state } = await connections.of(peer).create({
        urn: request.getUrn(),
        inputs: fromStruct(request.getProperties()),
        timeoutSeconds: request.getTimeout(),
        preview: request.getPreview(),
      });
      const response = new providerPb.CreateResponse();
      response.setId(id);
      response.setProperties(toStruct(state));
      return response;
    }),
    update: unary(async (request: UpdateRequest, peer) => {
      const state = await connections.of(peer).update({
        urn: request.getUrn(),
        id: request.getId(),
        olds: fromStruct(request.getOlds()),
        news: fromStruct(request.getNews()),
        ignoreChanges: request.getIgnorechangesList(),
        timeoutSeconds: request.getTimeout(),
        preview: request.getPreview(),
      });
      const response = new providerPb.UpdateResponse();
      response.setProperties(toStruct(state));
      return response;
    }),
    read: unary(async (request: ReadRequest, peer) => {
      const result = await connections.of(peer).read({
        urn: request.getUrn(),
        id: request.getId(),
        state: fromStruct(request.getProperties()),
        inputs: fromStruct(request.getInputs()),
        // For a lookup the engine sends an empty state, for an import none at all.
        imports: !request.hasProperties() && !request.hasInputs(),
      });
      const response = new providerPb.ReadResponse();
      if (result === undefined) return response;
      response.setId(result.id);
      response.setProperties(toStruct(result.state));
      response.setInputs(toStruct(result.inputs));
      return response;
    }),
    delete: unary(async (request: DeleteRequest, peer) => {
      await connections.of(peer).delete({
        urn: request.getUrn(),
        id: request.getId(),
        state: fromStruct(request.getProperties()),
        timeoutSeconds: request.getTimeout(),
      });
      return new emptyPb.Empty();
    }),
    cancel: unary((_request: unknown, peer) => {
      connections.of(peer).cancel();
      return new emptyPb.Empty();
    }),
    invoke: unary((request: { getTok(): string }) => {
      throw unsupported(`the function ${request.getTok()}`);
    }),
    call: unary((request: { getTok(): string }) => {
      throw unsupported(`the method ${request.getTok()}`);
    }),
    construct: unary((request: { getType(): string }) => {
      throw unsupported(`the component ${request.getType()}`);
    }),
  };
}

function failure(property: string, reason: string): providerPb.CheckFailure {
  const result = new providerPb.CheckFailure();
  result.setProperty(property);
  result.setReason(reason);
  return result;
}

function autonamingOf(request: CheckRequest): Autonaming {
  const wanted = request.getAutonaming();
  if (wanted === undefined) return { mode: "default" };
  const { DISABLE } = providerPb.CheckRequest.AutonamingOptions.Mode;
  if (wanted.getMode() === DISABLE) return { mode: "disabled" };
  return { mode: "proposed", name: wanted.getProposedName() };
}

function toServiceError(error: unknown): { code: status; details: string; metadata?: Metadata } {
  const details = messageWithHint(error);
  if (!(error instanceof InitializationError)) return { code: status.UNKNOWN, details };
  // The engine finds the state of what was made in this standard trailer.
  const partial = new providerPb.ErrorResourceInitFailed();
  partial.setId(error.id);
  partial.setProperties(toStruct(error.state));
  if (error.inputs !== undefined) partial.setInputs(toStruct(error.inputs));
  partial.setReasonsList([...error.reasons]);
  const packed = new anyPb.Any();
  packed.pack(partial.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const rpcStatus = new statusPb.Status();
  rpcStatus.setCode(status.UNKNOWN);
  rpcStatus.setMessage(details);
  rpcStatus.addDetails(packed);
  const metadata = new Metadata();
  metadata.add("grpc-status-details-bin", Buffer.from(rpcStatus.serializeBinary()));
  return { code: status.UNKNOWN, details, metadata };
}
