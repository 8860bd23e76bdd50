import { type Logger, MiB, RdbError, limits } from "@flaredb/rdb-base";
import {
  type BatchRequest,
  type KvRequest,
  type KvResponse,
  KvService,
  type RegionError,
  type RegionRequests,
  decodeBatchRequest,
  encodeBatchResponse,
} from "@flaredb/rdb-proto";
import type { InboundStream, ServerStreamHandlers, StreamCodec, WireServer } from "@flaredb/rdb-wire";
import { errorResponse, invalidArgument, notLeaderYet, serverIsBusy } from "../peer/responses.ts";
import type { StoreHandle } from "../store/store-handle.ts";
import { responseSizeBytes } from "./response-size.ts";
import { findInvalidField, findInvalidHeader, findInvalidIdentity } from "./validate-request.ts";

export interface KvStreamOptions {
  readonly handle: Pick<StoreHandle, "handle">;
  readonly logger: Logger;
  /** Most unanswered requests of one stream; past it `ServerIsBusy`. */
  readonly streamMaxPendingCount: number;
  /** Hears why a request was refused that did not come to the loop. Default: nobody does. */
  readonly refused?: (error: RegionError) => void;
}

/** The HTTP/2 path of the hot stream of clients. */
export const KV_BATCH_PATH: string = `/${KvService.typeName}/${KvService.method.batch.name}`;

/** With this much waiting to be read by the client, the Store takes on no more of its requests. */
const UNREAD_MAX_BYTES = 16 * MiB;
/** What requests taken on before may add to it; past this the stream is given up. */
const QUEUE_MAX_BYTES = 64 * MiB;
/** With so much waiting, an answer to a read is not added to it: any one more would have room. */
const ANSWERED_READS_MAX_BYTES = QUEUE_MAX_BYTES - limits.messageMaxBytes;
const BUSY_BACKOFF_MS = 20;

type KvServerStream = InboundStream<KvResponse>;

const codec: StreamCodec<KvResponse, BatchRequest> = {
  encode: encodeBatchResponse,
  hasFrameRoom: true,
  sizeOf: responseSizeBytes,
  decode: decodeBatchRequest,
  limits: { queueMaxBytes: QUEUE_MAX_BYTES },
};

/**
 * Serves KvService.Batch: what the SDK speaks. A malformed message ends its stream with INVALID_ARGUMENT.
 *
 * While the Store is starting each request is answered with NotLeader, which says that it was not applied. To end the
 * stream would leave its client with writes of unknown result at every restart.
 *
 * @param ready asked for each message until it answers; undefined while the Store is starting
 */
export function serveKvBatch(server: WireServer, ready: () => KvStreamOptions | undefined): void {
  server.handleStream<KvResponse, BatchRequest>(KV_BATCH_PATH, codec, (stream) =>
    new KvStream(stream, ready).handlers(),
  );
}

/** One client's stream. Answers leave in the order in which they are ready, not that of the requests. */
class KvStream {
  readonly #stream: KvServerStream;
  readonly #ready: () => KvStreamOptions | undefined;
  /** Undefined while the Store is starting. */
  #options: KvStreamOptions | undefined;
  #pendingCount = 0;
  #clientIsDone = false;
  readonly #respond = (response: KvResponse): void => this.#answered(response);

  constructor(stream: KvServerStream, ready: () => KvStreamOptions | undefined) {
    this.#stream = stream;
    this.#ready = ready;
  }

  handlers(): ServerStreamHandlers<BatchRequest> {
    return {
      onMessage: (batch) => {
        this.#options ??= this.#ready();
        for (const group of batch.regions) {
          if (this.#options === undefined) {
            this.#refuse(group);
          } else {
            this.#take(group, this.#options);
          }
        }
      },
      onEnd: () => {
        this.#clientIsDone = true;
        this.#closeWhenDone();
      },
      onClosed: (error) => {
        if (error !== undefined) {
          const fields = { client: this.#stream.peerAddress, reason: error.message };
          this.#options?.logger.debug(fields, "client stream ended");
        }
      },
    };
  }

  #refuse({ header, requests }: RegionRequests): void {
    for (const { requestId } of requests) {
      this.#send(errorResponse(requestId, notLeaderYet(header?.regionId ?? 0n)));
    }
  }

  #take(group: RegionRequests, options: KvStreamOptions): void {
    const invalidHeader = findInvalidHeader(group.header);
    const requests: KvRequest[] = [];
    for (const request of group.requests) {
      const refusal =
        this.#busy(options, requests.length) ??
        invalidField(invalidHeader) ??
        invalidField(findInvalidIdentity(group.header?.session, request)) ??
        invalidField(findInvalidField(request));
      if (refusal === undefined) {
        requests.push(request);
      } else {
        options.refused?.(refusal);
        this.#send(errorResponse(request.requestId, refusal));
      }
    }
    if (requests.length > 0) {
      // Counted first: the loop may answer within the call.
      this.#pendingCount += requests.length;
      options.handle.handle(group.header, requests, this.#respond);
    }
  }

  #busy({ streamMaxPendingCount }: KvStreamOptions, takenCount: number): RegionError | undefined {
    if (this.#pendingCount + takenCount >= streamMaxPendingCount) {
      return serverIsBusy(`streamMaxPendingCount ${streamMaxPendingCount}`, BUSY_BACKOFF_MS);
    }
    return this.#stream.queuedBytes > UNREAD_MAX_BYTES ? this.#unread() : undefined;
  }

  #unread(): RegionError {
    const { queuedBytes } = this.#stream;
    return serverIsBusy(`the client left ${queuedBytes} bytes of answers unread`, BUSY_BACKOFF_MS);
  }

  /** Reads that are served at once may have more in them than the stream takes. To end it would fail all, and again. */
  #withRoom(response: KvResponse): KvResponse {
    const { case: kind } = response.result;
    const isRead = kind === "get" || kind === "batchGet" || kind === "scan";
    return isRead && this.#stream.queuedBytes > ANSWERED_READS_MAX_BYTES
      ? errorResponse(response.requestId, this.#unread())
      : response;
  }

  #answered(response: KvResponse): void {
    this.#pendingCount--;
    this.#send(this.#withRoom(fitted(response)));
    this.#closeWhenDone();
  }

  #send(response: KvResponse): void {
    if (!this.#stream.push(response) && this.#stream.isOpen) {
      const what = `the client left more than ${QUEUE_MAX_BYTES} bytes of answers unread`;
      this.#stream.close(new RdbError("RDB_SERVER_IS_BUSY", what));
    }
    // On a closed stream the answer is dropped: there is nobody to read it.
  }

  #closeWhenDone(): void {
    if (this.#clientIsDone && this.#pendingCount === 0) {
      this.#stream.close();
    }
  }
}

/** An answer that no message can hold (a batch of gets of large values) becomes a refusal that says so. */
function fitted(response: KvResponse): KvResponse {
  const { case: kind } = response.result;
  if (kind !== "batchGet" && kind !== "scan") {
    return response;
  }
  const sizeBytes = responseSizeBytes(response);
  if (sizeBytes <= limits.messageMaxBytes) {
    return response;
  }
  const message = `the answer's ${sizeBytes} bytes must be <= messageMaxBytes ${limits.messageMaxBytes}; ask for less`;
  return errorResponse(response.requestId, invalidArgument(kind === "scan" ? "max_bytes" : "keys", message));
}

function invalidField(invalid: { field: string; message: string } | undefined): RegionError | undefined {
  return invalid === undefined ? undefined : invalidArgument(invalid.field, invalid.message);
}
