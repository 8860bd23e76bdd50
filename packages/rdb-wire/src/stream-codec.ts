import type { BatchWriterLimits } from "./batch-writer.ts";

/** How one end of a batch stream turns what it pushes into messages, and messages into what it is given. */
export interface StreamCodec<Out, In> {
  /**
   * One message of the items. Called at the moment at which they are handed to the socket: until then they were
   * certainly not sent. Returns nothing when none of them is to be sent any more.
   */
  encode(items: readonly Out[]): Uint8Array | undefined;
  /** Every message has FRAME_HEADER_BYTES free before it in a buffer of its own: it is framed there, without a copy. */
  readonly hasFrameRoom?: boolean;
  /** About how many bytes the item takes on the wire; a guess that is too low by some bytes does no harm. */
  sizeOf(item: Out): number;
  /** The message may share memory with the bytes. What this throws means: malformed. */
  decode(message: Uint8Array): In;
  /** Bounds of what waits to be written; see `batchWriterLimits` for the defaults. */
  readonly limits?: Partial<BatchWriterLimits>;
}
