import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Clock, RdbError, type Timer } from "@flaredb/rdb-base";
import {
  BatchRequestSchema,
  type BatchResponse,
  BatchResponseSchema,
  type KvRequest,
  type KvResponse,
  type RegionHeader,
} from "@flaredb/rdb-proto";
import type { OutboundStream, StreamCodec, Wire, WireConnection } from "@flaredb/rdb-wire";
import { requestSizeBytes } from "../peer/request-size.ts";
import { KV_BATCH_PATH } from "./kv-stream.ts";

export interface KvForwarderOptions {
  readonly wire: Wire;
  readonly clock: Clock;
  /** The local address to call from. */
  readonly localAddress: string | undefined;
}

/** What became of a forwarded request. Unsent: certainly not applied. Unanswered: nobody knows. */
export type Forwarded =
  | { readonly kind: "answered"; readonly response: KvResponse }
  | { readonly kind: "unsent"; readonly error: RdbError }
  | { readonly kind: "unanswered"; readonly error: RdbError };

interface Pending {
  readonly header: RegionHeader;
  readonly request: KvRequest;
  readonly settle: (outcome: Forwarded) => void;
  readonly timer: Timer;
  /** Withdrawn: given up before the socket took it, and never to be sent. */
  state: "waiting" | "sent" | "withdrawn";
}

/** Stores that are spoken to at once; past it the connection that was opened first is closed. */
const LINKS_MAX_COUNT = 64;
/** Header, ids and lengths of one request, about. */
const REQUEST_OVERHEAD_BYTES = 48;

/**
 * Sends single requests on to other Stores, over the same batch streams that the SDK uses. A Store never forwards what
 * comes on such a stream, so there is one hop and no loop; and a stream knows what it handed to the socket.
 */
export class KvForwarder {
  readonly #options: KvForwarderOptions;
  readonly #links = new Map<string, ForwardLink>();

  constructor(options: KvForwarderOptions) {
    this.#options = options;
  }

  /** Never rejects. Settles at the latest after `timeoutMs`. */
  send(address: string, header: RegionHeader, request: KvRequest, timeoutMs: number): Promise<Forwarded> {
    return this.#link(address).send(header, request, timeoutMs);
  }

  close(): void {
    for (const link of this.#links.values()) {
      link.close();
    }
    this.#links.clear();
  }

  #link(address: string): ForwardLink {
    const known = this.#links.get(address);
    if (known?.isOpen === true) {
      return known;
    }
    const [oldest] = this.#links.keys();
    if (oldest !== undefined && this.#links.size >= LINKS_MAX_COUNT) {
      this.#links.get(oldest)?.close();
      this.#links.delete(oldest);
    }
    const link = new ForwardLink(address, this.#options);
    this.#links.set(address, link);
    return link;
  }
}

/** One connection with one stream. */
class ForwardLink {
  readonly #clock: Clock;
  readonly #connection: WireConnection;
  readonly #stream: OutboundStream<Pending>;
  readonly #pending = new Map<number, Pending>();
  #lastRequestId = 0;

  constructor(address: string, { wire, clock, localAddress }: KvForwarderOptions) {
    this.#clock = clock;
    this.#connection = wire.connect({
      address,
      clock,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    this.#stream = this.#connection.openStream(KV_BATCH_PATH, codec, {
      onMessage: (batch) => {
        for (const response of batch.responses) {
          this.#settle(response.requestId, { kind: "answered", response });
        }
      },
      onClosed: (error) => {
        this.#failAll(error ?? new RdbError("RDB_UNAVAILABLE", `${address} closed the stream`));
        this.#connection.close();
      },
    });
  }

  get isOpen(): boolean {
    return this.#stream.isOpen && this.#connection.isOpen;
  }

  send(header: RegionHeader, request: KvRequest, timeoutMs: number): Promise<Forwarded> {
    const requestId = ++this.#lastRequestId % 2 ** 32;
    return new Promise((settle) => {
      const pending: Pending = {
        header,
        request: { ...request, requestId },
        settle,
        timer: this.#clock.setTimer(timeoutMs, () => this.#fail(requestId, timedOut(timeoutMs))),
        state: "waiting",
      };
      this.#pending.set(requestId, pending);
      if (!this.#stream.push(pending)) {
        this.#fail(requestId, new RdbError("RDB_SERVER_IS_BUSY", "too many requests are being forwarded"));
      }
    });
  }

  close(): void {
    this.#connection.close();
  }

  #failAll(error: RdbError): void {
    for (const requestId of this.#pending.keys()) {
      this.#fail(requestId, error);
    }
  }

  #fail(requestId: number, error: RdbError): void {
    const isSent = this.#pending.get(requestId)?.state === "sent";
    this.#settle(requestId, { kind: isSent ? "unanswered" : "unsent", error });
  }

  #settle(requestId: number, outcome: Forwarded): void {
    const pending = this.#pending.get(requestId);
    if (pending !== undefined) {
      this.#pending.delete(requestId);
      pending.timer.cancel();
      if (pending.state === "waiting") {
        pending.state = "withdrawn";
      }
      pending.settle(outcome);
    }
  }
}

const codec: StreamCodec<Pending, BatchResponse> = {
  encode: (items) => {
    const wanted = items.filter((item) => item.state === "waiting");
    for (const item of wanted) {
      item.state = "sent";
    }
    if (wanted.length === 0) {
      return undefined;
    }
    const regions = wanted.map(({ header, request }) => ({ header, requests: [request] }));
    return toBinary(BatchRequestSchema, create(BatchRequestSchema, { regions }));
  },
  sizeOf: ({ request }) => REQUEST_OVERHEAD_BYTES + requestSizeBytes(request.command),
  decode: (bytes) => fromBinary(BatchResponseSchema, bytes),
};

function timedOut(timeoutMs: number): RdbError {
  return new RdbError("RDB_DEADLINE_EXCEEDED", `no answer within ${Math.round(timeoutMs)} ms`);
}
