import { RdbError, limits } from "@flaredb/rdb-base";
import { FrameDecoder } from "@flaredb/rdb-proto";

/** Cuts what arrives on one stream into messages and decodes them. */
export class MessageReader<In> {
  readonly #decoder: FrameDecoder;
  readonly #decode: (message: Uint8Array) => In;
  readonly #deliver: (message: In) => void;

  constructor(
    decode: (message: Uint8Array) => In,
    deliver: (message: In) => void,
    messageMaxBytes: number = limits.messageMaxBytes,
  ) {
    this.#decoder = new FrameDecoder(messageMaxBytes);
    this.#decode = decode;
    this.#deliver = deliver;
  }

  /**
   * Delivers every message that became whole. What the receiver throws is not caught: it is its bug.
   *
   * @returns the error that ends the stream: RDB_INVALID_ARGUMENT when the bytes are no messages of ours; the
   *   messages before the malformed one were delivered
   */
  read(chunk: Uint8Array): RdbError | undefined {
    let messages: Uint8Array[];
    try {
      messages = this.#decoder.push(chunk);
    } catch (error) {
      return RdbError.from(error);
    }
    for (const bytes of messages) {
      let message: In;
      try {
        message = this.#decode(bytes);
      } catch (error) {
        return new RdbError("RDB_INVALID_ARGUMENT", `malformed message of ${bytes.length} bytes`, {
          cause: error,
        });
      }
      this.#deliver(message);
    }
    return undefined;
  }

  /** Whether the other side may end here. */
  end(): RdbError | undefined {
    return this.#decoder.isEmpty
      ? undefined
      : new RdbError("RDB_INVALID_ARGUMENT", "stream ended in the middle of a message");
  }
}
