import { create, fromBinary } from "@bufbuild/protobuf";
import { type Client, createClient } from "@connectrpc/connect";
import { RdbError } from "@flaredb/rdb-base";
import {
  RaftMessageSchema,
  RaftService,
  type SnapshotHeader,
  SnapshotHeaderSchema,
  type SnapshotRequest,
  SnapshotRequestSchema,
  type TransferOrigin,
  regionToProto,
} from "@flaredb/rdb-proto";
import type { StoreIdent } from "@flaredb/rdb-storage";
import { type Wire, fromConnectError } from "@flaredb/rdb-wire";
import { encodePeerMessage } from "../transport/raft-encoder.ts";
import type { ByteRate } from "./byte-rate.ts";
import type { OutgoingTransfer } from "./outgoing-transfer.ts";
import type { StallGuard } from "./stall-guard.ts";

/** How one stream of a transfer ended. Later: it may go on with another one. */
export type StreamEnd =
  | { readonly kind: "sent" }
  | { readonly kind: "later"; readonly error: RdbError }
  | { readonly kind: "failed"; readonly error: RdbError };

export interface StreamTransferOptions {
  readonly wire: Wire;
  readonly localAddress: string | undefined;
  /** The receiver's. */
  readonly address: string | undefined;
  readonly ident: StoreIdent;
  readonly origin: TransferOrigin;
  readonly guard: StallGuard;
  readonly rate: ByteRate;
  /** So many bytes of chunks leave. */
  readonly sent: (bytes: number) => void;
}

/** Offers the snapshot to its receiver and streams what that has not got. Never rejects. */
export async function streamTransfer(
  transfer: OutgoingTransfer,
  options: StreamTransferOptions,
): Promise<StreamEnd> {
  const { address, localAddress, wire, guard } = options;
  const { storeId } = transfer.outgoing.message.toPeer;
  if (address === undefined) {
    return broken(transfer, new RdbError("RDB_UNAVAILABLE", `the address of Store ${storeId} is not known`));
  }
  const connection = wire.unary(address, localAddress === undefined ? {} : { localAddress });
  try {
    return await offerAndStream(createClient(RaftService, connection.transport), transfer, options);
  } catch (error) {
    return broken(
      transfer,
      guard.signal.aborted ? RdbError.from(guard.signal.reason) : fromConnectError(error),
    );
  } finally {
    connection.close();
  }
}

async function offerAndStream(
  client: Client<typeof RaftService>,
  transfer: OutgoingTransfer,
  options: StreamTransferOptions,
): Promise<StreamEnd> {
  const { guard } = options;
  const { signal } = guard;
  const offer = await client.offerSnapshot({ header: headerOf(transfer, options, 0) }, { signal });
  guard.progressed();
  if (!offer.accepted) {
    return refused(transfer, offer);
  }
  if (!(await transfer.goOnAt(offer.nextChunk))) {
    const lost = `chunk ${offer.nextChunk}, which the other Store wants next, is not kept any more`;
    return { kind: "failed", error: new RdbError("RDB_UNAVAILABLE", lost) };
  }
  const stream: OpenStream = { isOver: false, unreadable: undefined };
  try {
    const header = headerOf(transfer, options, offer.nextChunk);
    const response = await client.snapshot(requests(header, transfer, options, stream), { signal });
    return response.accepted ? { kind: "sent" } : refused(transfer, response);
  } catch (error) {
    if (stream.unreadable !== undefined) {
      return { kind: "failed", error: stream.unreadable };
    }
    throw error;
  } finally {
    stream.isOver = true;
  }
}

interface OpenStream {
  isOver: boolean;
  /** Why the rows could not be read, if that is what ended it. */
  unreadable: RdbError | undefined;
}

async function* requests(
  header: SnapshotHeader,
  transfer: OutgoingTransfer,
  { guard, rate, sent }: StreamTransferOptions,
  stream: OpenStream,
): AsyncGenerator<SnapshotRequest, void, undefined> {
  yield create(SnapshotRequestSchema, { part: { case: "header", value: header } });
  while (!stream.isOver) {
    const chunk = await transfer.next().catch((error: unknown) => {
      stream.unreadable = RdbError.from(error);
      throw error;
    });
    if (chunk === undefined) {
      break;
    }
    await rate.take(chunk.data.length);
    guard.progressed();
    sent(chunk.data.length);
    yield create(SnapshotRequestSchema, { part: { case: "chunk", value: chunk } });
  }
  guard.progressed();
}

function headerOf(
  { outgoing: { message, region, snapshotId } }: OutgoingTransfer,
  { ident, origin }: StreamTransferOptions,
  firstChunk: number,
): SnapshotHeader {
  return create(SnapshotHeaderSchema, {
    clusterId: BigInt(ident.clusterId),
    fromStoreId: BigInt(ident.storeId),
    toStoreId: BigInt(message.toPeer.storeId),
    message: fromBinary(RaftMessageSchema, encodePeerMessage(message)),
    region: regionToProto(region),
    transferId: snapshotId,
    origin,
    firstChunk,
  });
}

function refused(
  transfer: OutgoingTransfer,
  { reason, isBusy }: { readonly reason: string; readonly isBusy: boolean },
): StreamEnd {
  const { storeId } = transfer.outgoing.message.toPeer;
  const error = new RdbError("RDB_UNAVAILABLE", `Store ${storeId} refused it: ${reason}`);
  return { kind: isBusy ? "later" : "failed", error };
}

/** A Store that was not reached at all is Raft's matter: it asks again when it hears of the Store. */
function broken(transfer: OutgoingTransfer, error: RdbError): StreamEnd {
  return { kind: transfer.hasBegun ? "later" : "failed", error };
}
