import type * as Threads from "node:worker_threads";
import { systemClock } from "@flaredb/rdb-base";
import { afterEach, expect, it, vi } from "vitest";
import { openRocksEngine } from "./rocks-engine.ts";
import { temporaryFolder } from "./testing/temporary-folder.ts";
import { WritePart } from "./write-part.ts";

const started = vi.hoisted((): Threads.Worker[] => []);
vi.mock("node:worker_threads", async (original) => {
  const threads = await original<typeof Threads>();
  class NotedWorker extends threads.Worker {
    constructor(...options: ConstructorParameters<typeof Threads.Worker>) {
      super(...options);
      started.push(this);
    }
  }
  return { ...threads, Worker: NotedWorker };
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const folder = temporaryFolder("reader");
afterEach(() => folder.remove());

it("reads on after its thread has ended by itself, and fails only what that was at", {
  timeout: 30_000,
}, async () => {
  const onFatal = vi.fn();
  // Without rows that are kept: each read is one of the thread.
  const options = { path: folder.path, clock: systemClock, onFatal, rowCacheBytes: 0 };
  const engine = await openRocksEngine(options);
  const part = new WritePart();
  part.put("data", bytes("key"), bytes("value"));
  engine.submit(part);
  await engine.flush();
  const read = (): Promise<unknown> => engine.getMany("data", [bytes("key")]);
  const count = started.length;
  expect(await read()).toEqual([bytes("value")]);
  const thread = started[count] as Threads.Worker;

  // It cannot read this, and ends.
  thread.postMessage("no request");
  const underWay = read();
  await Promise.resolve();
  const waiting = read();
  await expect(underWay).rejects.toThrow("the reader thread ended");
  expect(await waiting).toEqual([bytes("value")]);
  expect(await read()).toEqual([bytes("value")]);
  expect(started).toHaveLength(count + 2);

  await engine.close();
  expect(onFatal).not.toHaveBeenCalled();
});

it("answers with as many values as one answer takes, and never with none", { timeout: 30_000 }, async () => {
  const engine = await openRocksEngine({ path: folder.path, clock: systemClock, onFatal: vi.fn() });
  const names = Array.from({ length: 70 }, (_, place) => bytes(`large-${place + 10}`));
  for (const name of names) {
    const part = new WritePart();
    part.put("data", name, new Uint8Array(1024 * 1024).fill(name.at(-1) as number));
    engine.submit(part);
  }
  await engine.flush();
  const all = async (keys: readonly Uint8Array[]): Promise<number[]> => {
    const counts: number[] = [];
    for (let left = keys; left.length > 0; left = left.slice(counts.at(-1))) {
      const values = await engine.getMany("data", left);
      expect(values.length).toBeGreaterThan(0);
      for (const [place, value] of values.entries()) {
        expect([value?.length, value?.[0]]).toEqual([1024 * 1024, left[place]?.at(-1)]);
      }
      counts.push(values.length);
    }
    return counts;
  };
  // Together they are too much: what has no room comes with the next answer.
  const small = engine.getMany("data", [bytes("absent"), names[0] as Uint8Array]);
  const [counts] = await Promise.all([all(names), all(names), all(names.toReversed())]);
  expect(counts?.length).toBeGreaterThan(1);
  expect(await small).toMatchObject([undefined, { length: 1024 * 1024 }]);
  expect(await engine.getMany("data", [])).toEqual([]);
  await engine.close();
});
