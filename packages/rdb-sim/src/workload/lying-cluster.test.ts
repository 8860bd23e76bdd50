import { SeededRandom } from "@flaredb/rdb-base";
import { SimClock } from "@flaredb/rdb-server/testing";
import { describe, expect, test } from "vitest";
import { checkKeys } from "../check/check-keys.ts";
import { History } from "../check/history.ts";
import { type Fate, StubClient } from "../testing/stub-client.ts";
import { BankWorkload } from "./bank-workload.ts";
import { CallRecorder } from "./call-recorder.ts";
import type { WorkloadOptions } from "./client-loops.ts";
import { ListWorkload } from "./list-workload.ts";
import { PrefixWorkload } from "./prefix-workload.ts";
import { RecordedClient } from "./recorded-client.ts";
import { RegisterWorkload } from "./register-workload.ts";
import type { Workload } from "./workload.ts";

interface Scene {
  readonly stub: StubClient;
  readonly clock: SimClock;
  readonly workload: Workload;
  readonly history: History;
  /** Lets the clients work. */
  run(durationMs: number): Promise<void>;
  /** Stops them, reads back, and says what is wrong. */
  finish(): Promise<string[]>;
}

function scene(make: (options: WorkloadOptions) => Workload): Scene {
  const clock = new SimClock();
  const stub = new StubClient();
  const history = new History();
  const recorder = new CallRecorder({ history, nowNs: () => clock.monotonicMs() * 1e6 });
  const client = new RecordedClient({ name: "c", recorder, client: () => stub.asClient });
  const workload = make({ clients: [client], clock, random: new SeededRandom(3), pauseMaxMs: 10 });
  return {
    ...{ stub, clock, workload, history },
    run: async (durationMs) => void (await clock.runUntil(() => false, durationMs)),
    finish: async () => {
      stub.fate = () => "serve";
      await clock.complete(workload.stop(), 1_000);
      await clock.complete(workload.finish(client), 1_000);
      return workload.violations.map(({ message }) => message);
    },
  };
}

/** Some calls lose their answers, some are refused. */
function trouble(seed: number): () => Fate {
  const random = new SeededRandom(seed);
  return () => (["lose", "refuse", "serve", "serve", "serve"] as const)[random.nextInt(5)] ?? "serve";
}

const kinds = {
  prefix: (options: WorkloadOptions) => new PrefixWorkload({ ...options, prefixOf: () => "p " }),
  list: (options: WorkloadOptions) => new ListWorkload({ ...options, keys: ["list"] }),
  bank: (options: WorkloadOptions) => new BankWorkload({ ...options, prefix: "bank " }),
};

describe.each(Object.entries(kinds))("the %s workload", (_, make) => {
  test("finds nothing wrong with a store that loses and refuses", async () => {
    const run = scene(make);
    run.stub.fate = trouble(5);
    await run.run(3_000);
    expect(await run.finish()).toEqual([]);
    expect(run.history.count("unknown")).toBeGreaterThan(5);
    expect(run.history.count("fail")).toBeGreaterThan(5);
  });
});

describe("own keys", () => {
  test("an acknowledged write that is lost", async () => {
    const run = scene(kinds.prefix);
    await run.run(500);
    run.stub.rows.delete("p c 0");
    expect((await run.finish())[0]).toBe('c scans p c : "p c 0" was acknowledged, or seen, and is missing');
  });

  test("a value that is another one", async () => {
    const run = scene(kinds.prefix);
    await run.run(500);
    run.stub.set("p c 0", "y");
    expect((await run.finish())[0]).toContain('"p c 0" is "y" and was never written so');
  });

  test("an unknown write that was seen, and vanishes", async () => {
    const run = scene(kinds.prefix);
    run.stub.fate = (method) => (method === "put" ? "lose" : "serve");
    await run.run(500);
    run.stub.rows.delete("p c 0");
    expect((await run.finish())[0]).toContain('"p c 0" was acknowledged, or seen, and is missing');
  });
});

describe("lists", () => {
  async function after(change: (tokens: string[]) => string[]): Promise<string[]> {
    const run = scene(kinds.list);
    run.stub.fate = trouble(1);
    await run.run(300);
    const [key, list] = [...run.stub.rows].find(([name]) => name === "list.0") ?? [];
    run.stub.set(key as string, change((list?.value ?? "").split(",")).join(","));
    return run.finish();
  }

  test("a token that is acknowledged and not there", async () => {
    const messages = await after((tokens) => tokens.slice(0, -3));
    expect(messages[0]).toMatch(/^list "list.0": acknowledged and not there: c\.\d+/);
  });

  test("a token that is there twice", async () => {
    expect((await after((tokens) => [...tokens, ...tokens.slice(0, 1)]))[0]).toContain("twice: c.1");
  });

  test("a token that nobody appended", async () => {
    expect((await after((tokens) => [...tokens, "x"]))[0]).toContain("never appended: x");
  });

  test("a token that was refused, and is there", async () => {
    const run = scene(kinds.list);
    run.stub.fate = (method) => (method === "compareAndSwap" ? "refuse" : "serve");
    await run.run(100);
    run.stub.set("list.0", "c.1");
    expect((await run.finish())[0]).toBe('list "list.0": refused and there: c.1');
  });
});

describe("the bank", () => {
  test("a batch that is half done", async () => {
    const run = scene(kinds.bank);
    await run.run(500);
    run.stub.set("bank account-0", "1000");
    expect((await run.finish())[0]).toMatch(/sees 5 accounts with \d+, not 5 with 500/);
  });

  test("a look that began before the bank was opened may see it closed", async () => {
    const clock = new SimClock();
    const history = new History();
    const recorder = new CallRecorder({ history, nowNs: () => clock.monotonicMs() * 1e6 });
    const [slow, fast] = [new StubClient(), new StubClient()];
    let answer: ((rows: undefined[]) => void) | undefined;
    slow.batchGet = () => new Promise<undefined[]>((resolve) => (answer = resolve));
    slow.scan = () => ({ toArray: () => slow.batchGet([]) as Promise<never[]> });
    const clients = [slow, fast].map(
      (stub, place) => new RecordedClient({ name: `c${place}`, recorder, client: () => stub.asClient }),
    );
    const random = new SeededRandom(3);
    const bank = new BankWorkload({ clients, clock, random, pauseMaxMs: 10, prefix: "bank " });
    await clock.runUntil(() => bank.movedCount > 0, 1_000);
    answer?.(Array.from({ length: 5 }, () => undefined));
    await clock.complete(bank.stop(), 1_000);
    expect(bank.violations).toEqual([]);
  });

  test("a bank that is gone", async () => {
    const run = scene(kinds.bank);
    await run.run(500);
    run.stub.rows.clear();
    await run.run(20);
    expect((await run.finish())[0]).toMatch(/sees 0 accounts with 0/);
  });
});

describe("the recorder", () => {
  test("notes what is not answered as what it may have done", async () => {
    const history = new History();
    const stub = new StubClient();
    const recorder = new CallRecorder({ history, nowNs: () => 5 });
    const client = new RecordedClient({ name: "c", recorder, client: () => stub.asClient });
    stub.fate = () => "lose";
    await client.put("k", "v");
    await client.get("k");
    stub.fate = () => "refuse";
    await client.compareAndSwap("k", { kind: "version", version: 3 }, "w");
    expect(history.calls).toEqual([
      {
        client: "c",
        startNs: 5,
        endNs: 5,
        outcome: "unknown",
        op: "put",
        mutations: [{ key: "k", value: "v" }],
      },
      { client: "c", startNs: 5, endNs: 5, outcome: "fail", op: "get", keys: ["k"], rows: [] },
      {
        ...{ client: "c", startNs: 5, endNs: 5, outcome: "fail", op: "cas" },
        conditions: [{ key: "k", expect: { kind: "version", version: 3 } }],
        mutations: [{ key: "k", value: "w" }],
      },
    ]);
    expect(checkKeys(history.calls)).toEqual([]);
  });

  test("refuses calls without a process", async () => {
    const recorder = new CallRecorder({ history: new History(), nowNs: () => 0 });
    const client = new RecordedClient({ name: "c", recorder, client: () => undefined });
    expect(client.isReady).toBe(false);
    await expect(client.put("k", "v")).rejects.toThrow("c calls although its process does not run");
  });
});

test("clients whose process does not run wait, and end when they are told to", async () => {
  const clock = new SimClock();
  const history = new History();
  const recorder = new CallRecorder({ history, nowNs: () => clock.monotonicMs() });
  const client = new RecordedClient({ name: "c", recorder, client: () => undefined });
  const workload = new RegisterWorkload({
    ...{ clients: [client], clock, random: new SeededRandom(1), pauseMaxMs: 5 },
    groups: [["a", "b"]],
  });
  await clock.runUntil(() => false, 1_000);
  await clock.complete(workload.stop(), 100);
  expect(history.calls).toEqual([]);
});
