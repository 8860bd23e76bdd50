/** What is to happen at a moment of the model's time; moments of one millisecond in the order in which they were asked for. */
export class EventQueue {
  readonly #byMs = new Map<number, (() => void)[]>();
  /** Moments that have something; a binary heap. */
  readonly #moments: number[] = [];

  /** @param atMs whole milliseconds */
  at(atMs: number, act: () => void): void {
    const acts = this.#byMs.get(atMs);
    if (acts !== undefined) {
      acts.push(act);
      return;
    }
    this.#byMs.set(atMs, [act]);
    this.#push(atMs);
  }

  /** Lets everything happen up to this moment, and what that asks for up to then too. */
  runUntil(nowMs: number): void {
    for (let first = this.#moments[0]; first !== undefined && first <= nowMs; first = this.#moments[0]) {
      this.#pop();
      const acts = this.#byMs.get(first) ?? [];
      this.#byMs.delete(first);
      for (const act of acts) {
        act();
      }
    }
  }

  #push(moment: number): void {
    const heap = this.#moments;
    heap.push(moment);
    for (let at = heap.length - 1; at > 0; ) {
      const parent = (at - 1) >>> 1;
      if ((heap[parent] as number) <= (heap[at] as number)) {
        return;
      }
      this.#swap(parent, at);
      at = parent;
    }
  }

  #pop(): void {
    const heap = this.#moments;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) {
      return;
    }
    heap[0] = last;
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      const right = left + 1;
      let least = at;
      for (const child of [left, right]) {
        if (child < heap.length && (heap[child] as number) < (heap[least] as number)) {
          least = child;
        }
      }
      if (least === at) {
        return;
      }
      this.#swap(least, at);
      at = least;
    }
  }

  #swap(a: number, b: number): void {
    const heap = this.#moments;
    [heap[a], heap[b]] = [heap[b] as number, heap[a] as number];
  }
}
