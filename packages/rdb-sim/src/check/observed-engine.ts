import type { KeyRange } from "@flaredb/rdb-base";
import type { Column, Cursor, CursorOptions, Engine, WritePart } from "@flaredb/rdb-storage";
import type { DiskContent, StoreObserver } from "./store-observer.ts";

/**
 * The engine of one start of a Store, watched. Nothing changes for the Store: the same calls, in the same order and the
 * same turns.
 *
 * @param disk what the engine was opened on, before anything is submitted
 */
export function observeEngine(engine: Engine, observer: StoreObserver, disk: DiskContent): Engine {
  observer.opened(disk);
  return new ObservedEngine(engine, observer);
}

class ObservedEngine implements Engine {
  readonly #engine: Engine;
  readonly #observer: StoreObserver;

  constructor(engine: Engine, observer: StoreObserver) {
    this.#engine = engine;
    this.#observer = observer;
  }

  get unwrittenBytes(): number {
    return this.#engine.unwrittenBytes;
  }

  get(column: Column, key: Uint8Array): Uint8Array | undefined {
    return this.#engine.get(column, key);
  }

  getMany(column: Column, keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return this.#engine.getMany(column, keys);
  }

  openCursor(column: Column, range: KeyRange, options?: CursorOptions): Cursor {
    return this.#engine.openCursor(column, range, options);
  }

  submit(part: WritePart, onWritten?: () => void): void {
    const step = this.#observer.submitted(part);
    const { sync } = part;
    this.#engine.submit(part, () => {
      this.#observer.written(step, sync);
      onWritten?.();
    });
  }

  beginPass(): void {
    this.#engine.beginPass();
  }

  deleteRange(column: Column, range: KeyRange, onWritten?: () => void): void {
    const step = this.#observer.deletedRange(column, range);
    this.#engine.deleteRange(column, range, () => {
      this.#observer.written(step, false);
      onWritten?.();
    });
  }

  passAgeMs(): number {
    return this.#engine.passAgeMs();
  }

  flush(): Promise<void> {
    return this.#engine.flush();
  }

  close(): Promise<void> {
    return this.#engine.close();
  }
}
