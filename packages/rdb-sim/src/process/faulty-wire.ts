import { isMessage } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import type { Random } from "@flaredb/rdb-base";
import {
  PdMemberMessageSchema,
  PdMemberService,
  RaftService,
  SnapshotRequestSchema,
} from "@flaredb/rdb-proto";
import type { StreamCodec, UnaryTransport, Wire, WireServer } from "@flaredb/rdb-wire";
import type { FaultSwitch } from "./process-faults.ts";

/** Of Stores, and of members of PD. */
const RAFT_PATHS: ReadonlySet<string> = new Set([
  `/${RaftService.typeName}/${RaftService.method.batch.name}`,
  `/${PdMemberService.typeName}/${PdMemberService.method.batch.name}`,
]);

/** A process' network on which Raft messages vanish as they arrive, and bits of snapshots flip as they leave. */
export function faultyWire(wire: Wire, faults: FaultSwitch, random: Random): Wire {
  return {
    serve: (options) => lossyServer(wire.serve(options), faults, random),
    connect: (options) => wire.connect(options),
    unary: (address, options) => flippingTransport(wire.unary(address, options), faults, random),
  };
}

function lossyServer(server: WireServer, faults: FaultSwitch, random: Random): WireServer {
  return {
    get address() {
      return server.address;
    },
    get port() {
      return server.port;
    },
    handleStream: (path, codec, accept) =>
      server.handleStream(path, RAFT_PATHS.has(path) ? lossyCodec(codec, faults, random) : codec, accept),
    listen: () => server.listen(),
    close: (graceMs) => server.close(graceMs),
    cut: () => server.cut(),
  };
}

function lossyCodec<Out, In>(
  codec: StreamCodec<Out, In>,
  faults: FaultSwitch,
  random: Random,
): StreamCodec<Out, In> {
  const decode = (bytes: Uint8Array): In => {
    const batch = codec.decode(bytes);
    const { messageLoss } = faults.faults;
    if (messageLoss === 0 || !hasMessages(batch)) {
      return batch;
    }
    const messages = batch.messages.filter(
      (message) => isOfSnapshot(message) || random.nextFraction() >= messageLoss,
    );
    faults.lostMessages += batch.messages.length - messages.length;
    return { ...batch, messages };
  };
  return { ...codec, decode };
}

function hasMessages<In>(batch: In): batch is In & { readonly messages: readonly unknown[] } {
  return typeof batch === "object" && batch !== null && "messages" in batch && Array.isArray(batch.messages);
}

/**
 * A member of PD sends a snapshot in parts before its message, on the stream of the other messages. A stream cannot lose
 * one of them: the next snapshot would have parts of two.
 */
function isOfSnapshot(message: unknown): boolean {
  if (!isMessage(message, PdMemberMessageSchema)) {
    return false;
  }
  const { payload } = message;
  return (
    payload.case === "snapshotPart" || (payload.case === "message" && payload.value.snapshot !== undefined)
  );
}

function flippingTransport(unary: UnaryTransport, faults: FaultSwitch, random: Random): UnaryTransport {
  const { transport } = unary;
  const stream: Transport["stream"] = (method, signal, timeoutMs, header, input, context) => {
    const isSnapshot = String(method.name) === RaftService.method.snapshot.name;
    const carried = isSnapshot ? flipped(input, faults, random) : input;
    return transport.stream(method, signal, timeoutMs, header, carried, context);
  };
  return { transport: { unary: transport.unary.bind(transport), stream }, close: () => unary.close() };
}

async function* flipped<Request>(
  requests: AsyncIterable<Request>,
  faults: FaultSwitch,
  random: Random,
): AsyncGenerator<Request, void, undefined> {
  for await (const request of requests) {
    if (random.nextFraction() < faults.faults.chunkFlips && flipBit(request, random)) {
      faults.flippedChunks++;
    }
    yield request;
  }
}

/** @returns whether the request has data of a snapshot; then one of its bits is another one */
function flipBit(request: unknown, random: Random): boolean {
  if (!isMessage(request, SnapshotRequestSchema) || request.part.case !== "chunk") {
    return false;
  }
  const chunk = request.part.value;
  if (chunk.data.length === 0) {
    return false;
  }
  // A copy: the sender keeps the chunk, to send it again.
  const data = chunk.data.slice();
  const place = random.nextInt(data.length);
  data[place] = (data[place] as number) ^ (1 << random.nextInt(8));
  chunk.data = data;
  return true;
}
