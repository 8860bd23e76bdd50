import { fromBinary } from "@bufbuild/protobuf";
import type { AnswerTrace } from "@flaredb/rdb-client";
import { BatchRequestSchema } from "@flaredb/rdb-proto";

/**
 * Which identities of writes were used up: their clients have an answer. A copy of such a write must do nothing, however
 * late it comes. One that was refused is another matter: its client was told that it is not applied, and a network that
 * nobody tampers with brings no copy of it.
 */
export class UsedIdentities {
  /** Of the running client on each host. */
  readonly #sequences = new Map<string, Set<number>>();

  /** A client begins, and counts from the beginning. */
  started(host: string): void {
    this.#sequences.set(host, new Set());
  }

  answered(host: string, { sequence }: Pick<AnswerTrace, "sequence">): void {
    if (sequence !== undefined) {
      this.#of(host).add(sequence);
    }
  }

  /** For `SimNet.mayRepeat`: whether every write of the batch is one of these by then. */
  mayRepeat(host: string, message: Uint8Array): () => boolean {
    const used = this.#of(host);
    const { regions } = fromBinary(BatchRequestSchema, message);
    const sequences = regions.flatMap(({ requests }) => requests.map(({ sequence }) => sequence));
    return () => sequences.every((sequence) => sequence === 0 || used.has(sequence));
  }

  #of(host: string): Set<number> {
    let used = this.#sequences.get(host);
    if (used === undefined) {
      used = new Set();
      this.#sequences.set(host, used);
    }
    return used;
  }
}
