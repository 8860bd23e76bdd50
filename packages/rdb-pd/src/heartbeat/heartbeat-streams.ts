import { RdbError, type StoreId } from "@flaredb/rdb-base";
import type { RegionHeartbeatResponse } from "@flaredb/rdb-proto";
import { pdLimits } from "../limits.ts";
import { CommandQueue } from "./command-queue.ts";

/** What PD says to one Store, for as long as that Store's stream lives. */
export class HeartbeatStream {
  readonly storeId: StoreId;
  /** The process at the other end. */
  readonly bootId: bigint;
  readonly commands = new CommandQueue<RegionHeartbeatResponse>(pdLimits.streamQueueMaxCount);

  constructor(storeId: StoreId, bootId: bigint) {
    this.storeId = storeId;
    this.bootId = bootId;
  }
}

/** The open streams: one for each Store, the newest. */
export class HeartbeatStreams {
  readonly #streams = new Map<StoreId, HeartbeatStream>();
  #isClosed = false;

  /** Opens the Store's stream; an older one of the same Store ends. @throws RdbError RDB_CLOSED */
  open(storeId: StoreId, bootId: bigint): HeartbeatStream {
    if (this.#isClosed) {
      throw new RdbError("RDB_CLOSED", "the placement driver is stopping");
    }
    this.#streams
      .get(storeId)
      ?.commands.end(new RdbError("RDB_CLOSED", `store ${storeId} opened a newer heartbeat stream`));
    const stream = new HeartbeatStream(storeId, bootId);
    this.#streams.set(storeId, stream);
    return stream;
  }

  /** The stream is over: its reader went away, or failed. @returns whether the Store has no other one */
  close(stream: HeartbeatStream, error?: RdbError): boolean {
    stream.commands.end(error);
    const isNewest = this.#streams.get(stream.storeId) === stream;
    if (isNewest) {
      this.#streams.delete(stream.storeId);
    }
    return isNewest;
  }

  /** Whether the Store has a stream, and it took the command. */
  send(storeId: StoreId, command: RegionHeartbeatResponse): boolean {
    return this.#streams.get(storeId)?.commands.push(command) === true;
  }

  get count(): number {
    return this.#streams.size;
  }

  all(): Iterable<HeartbeatStream> {
    return this.#streams.values();
  }

  /** Ends every stream; no more are opened. */
  closeAll(): void {
    this.#isClosed = true;
    for (const stream of this.#streams.values()) {
      stream.commands.end();
    }
    this.#streams.clear();
  }
}
