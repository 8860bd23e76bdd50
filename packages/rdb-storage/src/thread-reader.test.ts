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
  const engine = await openRocksEngine({ path: folder.path, clock: systemClock, onFatal });
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
