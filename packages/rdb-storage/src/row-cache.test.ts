import { KiB } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { RowCache } from "./row-cache.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (value: Uint8Array | undefined): string | undefined =>
  value && new TextDecoder().decode(value);

/** Keeps one row, as a read of it does. */
function read(cache: RowCache, key: string, value: Uint8Array | undefined): void {
  cache.endRead(cache.beginRead([key]), [value]);
}

describe("RowCache", () => {
  it("finds what was read, until the key is written to or everything may have been", () => {
    const cache = new RowCache(256 * KiB);
    read(cache, "a", bytes("1"));
    read(cache, "b", bytes("2"));
    read(cache, "absent", undefined);
    expect([cache.get("a"), cache.get("b"), cache.get("absent")].map(textOf)).toEqual(["1", "2", undefined]);
    cache.changed("a");
    expect([cache.get("a"), cache.get("b")].map(textOf)).toEqual([undefined, "2"]);
    read(cache, "a", bytes("3"));
    expect(textOf(cache.get("a"))).toBe("3");
    cache.clear();
    expect([cache.get("a"), cache.get("b")]).toEqual([undefined, undefined]);
    expect(cache.isIdle).toBe(true);
    read(cache, "a", bytes("4"));
    expect(textOf(cache.get("a"))).toBe("4");
  });

  it("does not keep what a read found while its key was written to", () => {
    const cache = new RowCache(256 * KiB);
    const reading = cache.beginRead(["a", "b"]);
    cache.changed("a");
    cache.endRead(reading, [bytes("old"), bytes("2")]);
    expect([cache.get("a"), cache.get("b")].map(textOf)).toEqual([undefined, "2"]);
  });

  it("keeps of two reads of a key only what the later one found", () => {
    const cache = new RowCache(256 * KiB);
    const earlier = cache.beginRead(["a"]);
    cache.changed("a");
    const later = cache.beginRead(["a"]);
    cache.endRead(earlier, [bytes("old")]);
    expect(cache.get("a")).toBeUndefined();
    cache.endRead(later, [bytes("new")]);
    expect(textOf(cache.get("a"))).toBe("new");
  });

  it("forgets reads that failed, and keys whose values had no room in an answer", () => {
    const cache = new RowCache(256 * KiB);
    cache.endRead(cache.beginRead(["a", "b"]), []);
    expect(cache.isIdle).toBe(true);
  });

  it("makes room by what was kept first, counting keys and overhead", () => {
    const cache = new RowCache(512 * KiB);
    const rowBytes = 1_000;
    const keys = Array.from({ length: 2_000 }, (_, at) => `key-${at}`);
    for (const key of keys) {
      read(cache, key, new Uint8Array(rowBytes).fill(key.length));
    }
    const kept = keys.filter((key) => cache.get(key) !== undefined);
    expect(kept).toEqual(keys.slice(-kept.length));
    expect(kept.length * rowBytes).toBeLessThanOrEqual(512 * KiB);
    expect(kept.length * rowBytes).toBeGreaterThan(200 * KiB);
    for (let at = 0; at < 10_000; at++) {
      read(cache, `tiny-${at}`, bytes("v"));
    }
    expect(keys.some((key) => cache.get(key) !== undefined)).toBe(false);
    expect(cache.get("tiny-0")).toBeUndefined();
    expect(textOf(cache.get("tiny-9999"))).toBe("v");
  });

  it("leaves views as they are when their piece makes room", () => {
    const cache = new RowCache(256 * KiB);
    read(cache, "a", bytes("kept"));
    const view = cache.get("a");
    for (let at = 0; at < 5_000; at++) {
      read(cache, `key-${at}`, bytes("other"));
    }
    expect(cache.get("a")).toBeUndefined();
    expect(textOf(view)).toBe("kept");
  });

  it("keeps a row that was read again after it was written to, when its former piece makes room", () => {
    const cache = new RowCache(512 * KiB);
    read(cache, "a", bytes("1"));
    for (let at = 0; at < 2_000; at++) {
      read(cache, `first-${at}`, bytes("v"));
    }
    cache.changed("a");
    read(cache, "a", bytes("2"));
    for (let at = 0; at < 1_800; at++) {
      read(cache, `second-${at}`, bytes("v"));
    }
    expect(cache.get("first-0")).toBeUndefined();
    expect(textOf(cache.get("a"))).toBe("2");
  });

  it("keeps no large rows, and nothing without memory", () => {
    const cache = new RowCache(256 * KiB);
    read(cache, "large", new Uint8Array(17 * KiB));
    expect(cache.get("large")).toBeUndefined();
    const none = new RowCache(0);
    read(none, "a", bytes("1"));
    expect(none.get("a")).toBeUndefined();
    expect(none.isIdle).toBe(true);
  });
});
