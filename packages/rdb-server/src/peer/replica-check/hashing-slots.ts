import { type Clock, MiB } from "@flaredb/rdb-base";
import { ByteRate } from "../../snapshot/byte-rate.ts";

/** Regions of one Store that are hashed at once, at most; another one has no hash in that round. */
const HASHING_MAX_COUNT = 16;
/** All of them together read so much a second: a check is never in a hurry. */
const HASHING_MAX_BYTES_PER_SECOND = 32 * MiB;

/** What a Store spends on replica checks at a time. */
export class HashingSlots {
  readonly #rate: ByteRate;
  #takenCount = 0;

  constructor(clock: Clock) {
    this.#rate = new ByteRate(clock, HASHING_MAX_BYTES_PER_SECOND);
  }

  /** @returns what gives the place back; undefined when none is free */
  reserve(): (() => void) | undefined {
    if (this.#takenCount >= HASHING_MAX_COUNT) {
      return undefined;
    }
    this.#takenCount++;
    return () => {
      this.#takenCount--;
    };
  }

  /** Resolves when so many bytes may be read. */
  take(bytes: number): Promise<void> {
    return this.#rate.take(bytes);
  }
}
