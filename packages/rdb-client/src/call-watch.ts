import type { ErrorCode } from "@flaredb/rdb-base";
import type { KvCall } from "./kv-call.ts";

/** Who looks on while a call is on its way: hooks, spans, or both. A call of a client that has neither has none. */
export interface CallWatch {
  /** What the attempt carries to its Store, if it is traced. */
  readonly traceContext: Uint8Array | undefined;
  /**
   * Right before the call is given to its Store.
   *
   * @param address the Store's, as last learned
   */
  attempt(call: KvCall, address: string | undefined): void;
  /** The attempt is over, without what the call wants; `lastError` says why. */
  failed(call: KvCall): void;
  /** The call ended, by an answer or an error. */
  end(call: KvCall, outcome: "ok" | ErrorCode): void;
}

/** Two that look on. */
export class BothWatches implements CallWatch {
  readonly #first: CallWatch;
  readonly #second: CallWatch;

  constructor(first: CallWatch, second: CallWatch) {
    this.#first = first;
    this.#second = second;
  }

  get traceContext(): Uint8Array | undefined {
    return this.#first.traceContext ?? this.#second.traceContext;
  }

  attempt(call: KvCall, address: string | undefined): void {
    this.#first.attempt(call, address);
    this.#second.attempt(call, address);
  }

  failed(call: KvCall): void {
    this.#first.failed(call);
    this.#second.failed(call);
  }

  end(call: KvCall, outcome: "ok" | ErrorCode): void {
    this.#first.end(call, outcome);
    this.#second.end(call, outcome);
  }
}
