/** Ids that PD gave out in a run: none may come twice, whatever happens to PD. */
export class TakenIds {
  readonly #ranges: { readonly firstId: bigint; readonly endId: bigint }[] = [];

  /** @throws Error when one of them was given out before */
  note(firstId: bigint, count: number): void {
    const endId = firstId + BigInt(count);
    const before = this.#ranges.find((range) => firstId < range.endId && range.firstId < endId);
    if (before !== undefined) {
      throw new Error(
        `PD gave out ids twice: ${firstId} to ${endId - 1n}, and before ${before.firstId} to ${before.endId - 1n}`,
      );
    }
    this.#ranges.push({ firstId, endId });
  }
}
