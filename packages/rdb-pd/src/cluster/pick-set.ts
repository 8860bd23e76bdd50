/** A set of which any member can be picked by its place in O(1). In no order. */
export class PickSet<Item> {
  readonly #items: Item[] = [];
  readonly #places = new Map<Item, number>();

  get size(): number {
    return this.#items.length;
  }

  /** @param place from 0 to `size` - 1 */
  at(place: number): Item | undefined {
    return this.#items[place];
  }

  add(item: Item): void {
    if (!this.#places.has(item)) {
      this.#places.set(item, this.#items.length);
      this.#items.push(item);
    }
  }

  /** The last one takes the place that becomes free. */
  delete(item: Item): void {
    const place = this.#places.get(item);
    if (place === undefined) {
      return;
    }
    const last = this.#items.pop() as Item;
    this.#places.delete(item);
    if (place < this.#items.length) {
      this.#items[place] = last;
      this.#places.set(last, place);
    }
  }

  [Symbol.iterator](): IterableIterator<Item> {
    return this.#items.values();
  }
}
