import { type CallOptions, type Client, createClient } from "@connectrpc/connect";
import { type ErrorCode, RdbError } from "@flaredb/rdb-base";
import { PdService } from "@flaredb/rdb-proto";
import { MemberRing, type UnaryTransport, type Wire, fromConnectError } from "@flaredb/rdb-wire";

export type PdClient = Client<typeof PdService>;

export interface PdConnectionOptions {
  readonly wire: Wire;
  /** The members, host:port each; the one that answered last is asked first, and one that is said to lead next. */
  readonly addresses: readonly string[];
  /** The local address to call from. */
  readonly localAddress: string | undefined;
  /** One call to one member, at most. */
  readonly callTimeoutMs: number;
}

/** Codes after which another member is asked. */
const elsewhere: ReadonlySet<ErrorCode> = new Set([
  "RDB_PD_UNAVAILABLE",
  "RDB_NOT_LEADER",
  // Leadership was lost meanwhile. Whatever a Store asks for may be done twice.
  "RDB_STALE_COMMAND",
  "RDB_CLOSED",
  "RDB_ABORTED",
  "RDB_DEADLINE_EXCEEDED",
]);

/** The way to the placement driver: one member at a time, the next when it does not answer or does not lead. */
export class PdConnection {
  readonly #options: PdConnectionOptions;
  readonly #members: MemberRing;
  #current: { readonly transport: UnaryTransport; readonly client: PdClient } | undefined;
  #isClosed = false;

  constructor(options: PdConnectionOptions) {
    this.#options = options;
    this.#members = new MemberRing(options.addresses);
  }

  /** The member that is asked now. */
  get address(): string {
    return this.#members.current;
  }

  /** How many members are known. */
  get memberCount(): number {
    return this.#members.size;
  }

  /** For streams; for unary calls see `call`. @throws RdbError RDB_CLOSED */
  client(): PdClient {
    if (this.#isClosed) {
      throw new RdbError("RDB_CLOSED", "the connection to the placement driver is closed");
    }
    if (this.#current === undefined) {
      const { wire, localAddress } = this.#options;
      const transport = wire.unary(this.address, localAddress === undefined ? {} : { localAddress });
      this.#current = { transport, client: createClient(PdService, transport.transport) };
    }
    return this.#current.client;
  }

  /**
   * Goes on with another member: the one that `error` says leads, else the next. Nothing happens when somebody else's
   * failure has led away from `failed` already.
   */
  failOver(failed: PdClient, error: RdbError): void {
    if (this.#current?.client !== failed) {
      return;
    }
    this.#current.transport.close();
    this.#current = undefined;
    this.#members.next(error);
  }

  /**
   * Makes a unary call, at each member once until one answers.
   *
   * @throws RdbError RDB_PD_UNAVAILABLE when none does; what PD refuses
   */
  async call<Response>(
    make: (client: PdClient, options: CallOptions) => Promise<Response>,
  ): Promise<Response> {
    let lastError: RdbError | undefined;
    for (let attempt = 0; this.#members.mayAsk(attempt); attempt++) {
      const client = this.client();
      try {
        return await make(client, { timeoutMs: this.#options.callTimeoutMs });
      } catch (error) {
        lastError = pdError(error);
        if (this.#isClosed || !elsewhere.has(lastError.code)) {
          throw lastError;
        }
        this.failOver(client, lastError);
      }
    }
    throw new RdbError(
      "RDB_PD_UNAVAILABLE",
      `no placement driver answers at ${this.#options.addresses.join(", ")}: ${lastError?.message}`,
      { cause: lastError },
    );
  }

  close(): void {
    this.#isClosed = true;
    this.#current?.transport.close();
  }
}

/** What a failed call or stream means. */
export function pdError(error: unknown): RdbError {
  return fromConnectError(error, "RDB_PD_UNAVAILABLE");
}
