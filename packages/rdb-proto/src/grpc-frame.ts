import { RdbError, assert } from "@flaredb/rdb-base";

/** A gRPC message on the wire: a flag byte (0: not compressed), its length as u32 BE, its bytes. */
export const FRAME_HEADER_BYTES = 5;

/** Puts gRPC's prefix before an encoded message. */
export function encodeFrame(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + message.length);
  new DataView(frame.buffer).setUint32(1, message.length);
  frame.set(message, FRAME_HEADER_BYTES);
  return frame;
}

/**
 * As {@link encodeFrame}, without a copy.
 *
 * @param message the FRAME_HEADER_BYTES before it in its buffer are the caller's own, as a BackwardWriter leaves them
 */
export function frameInPlace(message: Uint8Array): Uint8Array {
  const start = message.byteOffset - FRAME_HEADER_BYTES;
  assert(start >= 0, "there is room for the prefix before the message");
  const frame = new Uint8Array(message.buffer, start, FRAME_HEADER_BYTES + message.length);
  // Not by a DataView, which takes as long to make as all the rest.
  frame[0] = 0;
  frame[1] = message.length >>> 24;
  frame[2] = message.length >>> 16;
  frame[3] = message.length >>> 8;
  frame[4] = message.length;
  return frame;
}

/** Cuts a byte stream into gRPC messages. One for each stream; its memory is bounded by `messageMaxBytes`. */
export class FrameDecoder {
  readonly #messageMaxBytes: number;
  /** Bytes that do not make a whole frame yet, as they came. */
  #chunks: Uint8Array[] = [];
  #bufferedBytes = 0;
  /** Bytes that must be there before looking again is worth it. */
  #neededBytes = FRAME_HEADER_BYTES;

  constructor(messageMaxBytes: number) {
    this.#messageMaxBytes = messageMaxBytes;
  }

  /** Whether the stream may end here. */
  get isEmpty(): boolean {
    return this.#bufferedBytes === 0;
  }

  /**
   * Takes what arrived and gives the messages that became whole; they may share memory with `chunk`.
   *
   * @throws RdbError RDB_INVALID_ARGUMENT when a message is compressed or longer than allowed; the stream is lost
   */
  push(chunk: Uint8Array): Uint8Array[] {
    this.#chunks.push(chunk);
    this.#bufferedBytes += chunk.length;
    if (this.#bufferedBytes < this.#neededBytes) {
      return [];
    }
    const buffered = this.#chunks.length === 1 ? chunk : concat(this.#chunks, this.#bufferedBytes);
    return this.#cut(buffered);
  }

  #cut(buffered: Uint8Array): Uint8Array[] {
    const messages: Uint8Array[] = [];
    let offset = 0;
    this.#neededBytes = FRAME_HEADER_BYTES;
    while (buffered.length - offset >= FRAME_HEADER_BYTES) {
      const frameBytes = FRAME_HEADER_BYTES + this.#messageLength(buffered, offset);
      if (buffered.length - offset < frameBytes) {
        this.#neededBytes = frameBytes;
        break;
      }
      messages.push(buffered.subarray(offset + FRAME_HEADER_BYTES, offset + frameBytes));
      offset += frameBytes;
    }
    this.#bufferedBytes = buffered.length - offset;
    this.#chunks = this.#bufferedBytes === 0 ? [] : [buffered.subarray(offset)];
    return messages;
  }

  #messageLength(bytes: Uint8Array, offset: number): number {
    if (bytes[offset] !== 0) {
      throw new RdbError(
        "RDB_INVALID_ARGUMENT",
        "gRPC message is compressed; send it with identity encoding",
      );
    }
    const length =
      (bytes[offset + 1] as number) * 0x100_0000 +
      (((bytes[offset + 2] as number) << 16) |
        ((bytes[offset + 3] as number) << 8) |
        (bytes[offset + 4] as number));
    if (length > this.#messageMaxBytes) {
      throw new RdbError(
        "RDB_INVALID_ARGUMENT",
        `gRPC message of ${length} bytes exceeds messageMaxBytes ${this.#messageMaxBytes}`,
        { details: { limit: "messageMaxBytes", value: length, max: this.#messageMaxBytes } },
      );
    }
    return length;
  }
}

function concat(chunks: readonly Uint8Array[], totalBytes: number): Uint8Array {
  const all = new Uint8Array(Buffer.allocUnsafeSlow(totalBytes).buffer);
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.length;
  }
  return all;
}
