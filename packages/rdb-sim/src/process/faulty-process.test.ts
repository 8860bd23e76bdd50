import { SeededRandom, assert, silentLogger, systemClock } from "@flaredb/rdb-base";
import { create } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import {
  MessageSchema,
  type PdMemberMessage,
  PdMemberMessageSchema,
  PdMemberService,
  RaftService,
  type SnapshotRequest,
  SnapshotRequestSchema,
} from "@flaredb/rdb-proto";
import { MemoryRawEngine, StreamEngine, WritePart } from "@flaredb/rdb-storage";
import { ManualClock } from "@flaredb/rdb-storage/testing";
import type { StreamCodec, UnaryTransport, Wire, WireServer } from "@flaredb/rdb-wire";
import { describe, expect, test } from "vitest";
import { faultyWire } from "./faulty-wire.ts";
import { offsetClock } from "./listen.ts";
import { FaultSwitch, noFaults } from "./process-faults.ts";
import { SlowRawEngine } from "./slow-raw-engine.ts";

const MEMBER_PATH = `/${PdMemberService.typeName}/${PdMemberService.method.batch.name}`;
const BATCH_PATH = `/${RaftService.typeName}/${RaftService.method.batch.name}`;
const codec: StreamCodec<string, { readonly storeId: number; readonly messages: readonly number[] }> = {
  encode: () => new Uint8Array(),
  sizeOf: () => 1,
  decode: (bytes) => ({ storeId: 7, messages: [...bytes] }),
};

/** A wire of which only what is asked here is there. */
function wireOf(parts: Partial<Wire>): Wire {
  const absent = (): never => {
    throw new Error("not asked here");
  };
  return { serve: absent, connect: absent, unary: absent, ...parts };
}

/** As a server of a process with those faults reads what comes on that path. */
function decoderOf<In>(
  faults: FaultSwitch,
  path: string,
  of: StreamCodec<string, In>,
): StreamCodec<string, In>["decode"] {
  const decoders: ((bytes: Uint8Array) => unknown)[] = [];
  const server: WireServer = {
    address: "a:1",
    port: 1,
    handleStream: (_path, given) => void decoders.push(given.decode),
    listen: () => Promise.resolve(),
    close: () => Promise.resolve(),
    cut: () => {},
  };
  const wire = faultyWire(wireOf({ serve: () => server }), faults, new SeededRandom(1));
  const served = wire.serve({ host: "a", port: 1, logger: silentLogger, clock: systemClock });
  served.handleStream(path, of, () => ({ onMessage() {}, onEnd() {}, onClosed() {} }));
  const [decode] = decoders;
  assert(decode !== undefined, "the server was given a codec");
  // The server takes codecs of any kind; it was given that one.
  return (bytes) => decode(bytes) as In;
}

describe("a faulty process", () => {
  test("loses the part of Raft's messages that it is told to, and counts them", () => {
    const faults = new FaultSwitch();
    const raft = decoderOf(faults, BATCH_PATH, codec);
    const other = decoderOf(faults, "/other", codec);
    const bytes = new Uint8Array(1_000);

    expect(raft(bytes)).toEqual({ storeId: 7, messages: [...bytes] });
    faults.set({ ...noFaults, messageLoss: 0.3 });
    expect(other(bytes).messages).toHaveLength(1_000);
    const left = raft(bytes).messages.length;
    expect(left).toBeGreaterThan(600);
    expect(left).toBeLessThan(800);
    expect(faults.set(noFaults).lostMessages).toBe(1_000 - left);
    expect(raft(bytes).messages).toHaveLength(1_000);
  });

  test("loses messages of members of PD too, but no part of a snapshot that comes between them", () => {
    const faults = new FaultSwitch();
    const payloads: PdMemberMessage["payload"][] = [
      { case: "message", value: create(MessageSchema) },
      { case: "snapshotPart", value: new Uint8Array(1) },
      { case: "message", value: create(MessageSchema, { snapshot: {} }) },
    ];
    const messages = payloads.map((payload) => create(PdMemberMessageSchema, { payload }));
    const decode = decoderOf(faults, MEMBER_PATH, {
      encode: () => new Uint8Array(),
      sizeOf: () => 1,
      decode: () => ({ messages }),
    });

    faults.set({ ...noFaults, messageLoss: 1 });
    expect(decode(new Uint8Array()).messages).toEqual(messages.slice(1));
    expect(faults.set(noFaults).lostMessages).toBe(1);
  });

  test("flips one bit of each chunk of a snapshot on its way, and leaves its own as it was", async () => {
    const faults = new FaultSwitch();
    const sent: SnapshotRequest[] = [];
    const stream: Transport["stream"] = async (_method, _signal, _timeout, _header, input) => {
      for await (const each of input) {
        sent.push(each as SnapshotRequest);
      }
      throw new Error("no answer");
    };
    const unary = (): UnaryTransport => ({
      transport: { unary: () => Promise.reject(new Error("not asked here")), stream },
      close() {},
    });
    const { transport } = faultyWire(wireOf({ unary }), faults, new SeededRandom(1)).unary("a:1");
    const data = new Uint8Array(100);
    async function* requests(): AsyncGenerator<SnapshotRequest> {
      yield create(SnapshotRequestSchema, { part: { case: "header", value: {} } });
      yield create(SnapshotRequestSchema, { part: { case: "chunk", value: { data } } });
    }
    const send = (): Promise<unknown> =>
      transport.stream(RaftService.method.snapshot, undefined, undefined, undefined, requests());

    faults.set({ ...noFaults, chunkFlips: 1 });
    await expect(send()).rejects.toThrow("no answer");
    const part = sent[1]?.part;
    const bits = part?.case === "chunk" ? [...part.value.data].map((byte) => byte.toString(2)).join("") : "";
    expect(bits.replaceAll("0", "")).toBe("1");
    expect(data).toEqual(new Uint8Array(100));
    expect(faults.set(noFaults).flippedChunks).toBe(1);
  });

  test("takes its time to sync, and shows it", async () => {
    const clock = new ManualClock();
    const faults = new FaultSwitch();
    const engine = new StreamEngine(
      new SlowRawEngine(new MemoryRawEngine({ clock, random: new SeededRandom(1) }), faults, clock),
      {
        clock,
        onFatal: (error) => {
          throw error;
        },
      },
    );
    faults.set({ ...noFaults, syncDelayMs: 500 });
    const part = new WritePart();
    part.put("meta", new Uint8Array([1]), new Uint8Array([2]));
    part.sync = true;
    const written = new Promise<void>((resolve) => engine.submit(part, resolve));
    await clock.runUntil(written);
    expect(clock.monotonicMs()).toBe(500);
    expect(faults.set(noFaults).slowSyncs).toBe(1);
    await clock.runUntil(engine.flush());
    expect(clock.monotonicMs()).toBe(500);
  });

  test("has a wall clock that jumps, and a monotonic one that does not", () => {
    const clock = new ManualClock();
    const faults = new FaultSwitch();
    const off = offsetClock(clock, faults);
    const monotonicMs = off.monotonicMs();
    faults.set({ ...noFaults, wallOffsetMs: -60_000 });
    expect(off.wallMs()).toBe(clock.wallMs() - 60_000);
    expect(off.monotonicMs()).toBe(monotonicMs);
  });
});
