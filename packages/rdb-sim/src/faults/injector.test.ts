import { describe, expect, test } from "vitest";
import { SimClock } from "@flaredb/rdb-server/testing";
import type { AdminAction } from "./elastic-action.ts";
import type { FaultAction } from "./fault.ts";
import { type FaultyCluster, type FaultyProcess, Injector, type RegionAt } from "./injector.ts";

/** A cluster that writes down what is done to it. */
class NotedCluster implements FaultyCluster {
  readonly clock = new SimClock();
  readonly done: string[] = [];
  readonly stores = ["s1", "s2", "s3"].map((name) => this.#process(name, true));
  readonly pd = this.#process("pd", true);
  readonly clients = [this.#process("c1", false)];
  leader: FaultyProcess | undefined = this.stores[1];
  crash: (() => void) | undefined;
  /** Delivers a message that is waited for. */
  deliver: (what: string, to: FaultyProcess | undefined) => void = () => {};
  /** The Region begins to wait at the so manieth look. */
  looksUntilWaiting = 2;

  leaderOf(): FaultyProcess | undefined {
    return this.leader;
  }

  hasPeer(_region: RegionAt, store: FaultyProcess): boolean {
    return store !== this.stores[0];
  }

  atMessage(
    what: string,
    isWanted: (to: FaultyProcess) => boolean,
    callback: (to: FaultyProcess) => void,
  ): () => void {
    const before = this.deliver;
    this.deliver = (delivered, to) => {
      before(delivered, to);
      if (delivered === what && to !== undefined && isWanted(to)) {
        callback(to);
      }
    };
    return () => this.#note(`no wait for ${what}`);
  }

  isWaiting(): boolean {
    return --this.looksUntilWaiting <= 0;
  }

  split(at: string): void {
    this.#note(`split at ${at}`);
  }

  atTransferMessage({ name }: FaultyProcess, messageCount: number, callback: () => void): () => void {
    this.#note(`wait for message ${messageCount} of a transfer to ${name}`);
    this.crash = callback;
    return () => this.#note(`no wait ${name}`);
  }

  transfer(region: RegionAt, to: FaultyProcess): void {
    this.#note(`transfer ${region} to ${to.name}`);
  }

  proposeStale(region: number, from: FaultyProcess): void {
    this.#note(`stale proposal ${region} from ${from.name}`);
  }

  ask({ kind, key }: AdminAction): void {
    this.#note(`${kind} ${key}`);
  }

  decommission(place: number): () => void {
    this.#note(`decommission ${place}`);
    return () => this.#note(`end of decommission ${place}`);
  }

  loseStore(place: number, successor: string): () => void {
    this.#note(`lose ${place}`);
    return () => this.#note(`${successor} joins for ${place}`);
  }

  changeProgram(place: number, clusterVersion: number): () => void {
    this.#note(`program ${clusterVersion} on ${place}`);
    return () => this.#note(`start of ${place}`);
  }

  addNetworkFault(fault: object): () => void {
    const text = Object.values(fault)
      .map((value) => (value instanceof Set ? [...value].join("+") : String(value)))
      .join(" ");
    this.#note(text);
    return () => this.#note(`end of ${text}`);
  }

  resetConnections(a: string, b: string): void {
    this.#note(`reset ${a} ${b}`);
  }

  setTimer(delayMs: number, callback: () => void): void {
    this.clock.setTimer(delayMs, callback);
  }

  noteFault(): void {}

  #note(text: string): void {
    this.done.push(`${this.clock.monotonicMs()} ${text}`);
  }

  #process(name: string, hasDisk: boolean): FaultyProcess {
    const lasting = (what: string): (() => void) => {
      this.#note(`${what} ${name}`);
      return () => this.#note(`end of ${what} ${name}`);
    };
    const disk = {
      slow: (writeMs: number) => lasting(`slow ${writeMs}`),
      setFull: (isFull: boolean) => this.#note(`full ${isFull} ${name}`),
      break: () => lasting("break"),
      crashAtWrite: (writeCount: number, moment: string, crash: () => void, from = "now") => {
        this.#note(`crash at ${writeCount} from ${from} ${moment} ${name}`);
        this.crash = crash;
      },
      cancelCrash: () => this.#note(`no crash ${name}`),
    };
    return {
      name,
      hold: () => lasting("hold"),
      end: (kind) => this.#note(`${kind} ${name}`),
      stop: () => this.#note(`stop ${name}`),
      pause: () => lasting("pause"),
      jumpWallMs: (byMs) => this.#note(`jump ${byMs} ${name}`),
      disk: hasDisk ? disk : undefined,
    };
  }
}

const store = (place: number) => ({ role: "store", place }) as const;
const leader = { role: "leader", region: 0 } as const;

/** Each case: the fault, which begins at 5 and ends at 15, and what is done. */
const cases: readonly (readonly [FaultAction, readonly string[]])[] = [
  [{ kind: "kill", targets: leader }, ["5 hold s2", "5 kill s2", "15 end of hold s2"]],
  [{ kind: "power-off", targets: { role: "pd" } }, ["5 hold pd", "5 power-off pd", "15 end of hold pd"]],
  [
    { kind: "stop", targets: { role: "majority", place: 2 } },
    ["5 hold s3", "5 stop s3", "5 hold s1", "5 stop s1", "15 end of hold s3", "15 end of hold s1"],
  ],
  [{ kind: "pause", targets: { role: "client", place: 4 } }, ["5 pause c1", "15 end of pause c1"]],
  [
    { kind: "pause", targets: { role: "everything" } },
    ["s1", "s2", "s3", "pd"]
      .flatMap((name) => [`5 pause ${name}`])
      .concat(["s1", "s2", "s3", "pd"].map((name) => `15 end of pause ${name}`)),
  ],
  [{ kind: "slow-disk", target: store(1), writeMs: 9 }, ["5 slow 9 s2", "15 end of slow 9 s2"]],
  [{ kind: "full-disk", target: store(0) }, ["5 full true s1", "15 full false s1"]],
  [{ kind: "broken-disk", target: store(0) }, ["5 break s1", "15 end of break s1"]],
  [{ kind: "wall-jump", target: store(0), byMs: 70 }, ["5 jump 70 s1", "15 jump -70 s1"]],
  [{ kind: "transfer", region: 2, place: 1 }, ["5 transfer 2 to s2"]],
  [{ kind: "stale-proposal", region: 1, place: 0 }, ["5 stale proposal 1 from s1"]],
  [
    {
      ...{ kind: "doubtful-leader", region: 0, lateMs: 300, leadMs: 4, transfers: true, place: 0 },
      ...{ cut: "in", clients: 0b1 },
    },
    [
      ...["5 slow-link s1 s2 300", "5 slow-link s3 s2 300", "9 transfer 0 to s3"],
      ...["9 one-way s1 s2", "9 one-way s3 s2", "9 one-way c1 s2", "9 one-way s2 c1", "9 reset c1 s2"],
      ...["15 end of slow-link s1 s2 300", "15 end of slow-link s3 s2 300"],
      ...["s1 s2", "s3 s2", "c1 s2", "s2 c1"].map((link) => `15 end of one-way ${link}`),
    ],
  ],
  [
    { kind: "usurper", region: 0, place: 1, leadMs: 2, restartMs: 3, clients: 0 },
    [
      ...["5 one-way s2 s3", "5 one-way s3 s2", "7 hold s1", "7 kill s1"],
      ...["7 one-way s2 s1", "7 one-way s1 s2", "10 end of hold s1"],
      ...["15 end of one-way s2 s3", "15 end of one-way s3 s2", "15 end of hold s1"],
      ...["15 end of one-way s2 s1", "15 end of one-way s1 s2"],
    ],
  ],
  [{ kind: "move-peer", key: "a", from: 1, to: 2 }, ["5 move-peer a"]],
  [
    {
      ...{ kind: "missed-change", change: { kind: "merge-region", key: "b-" } },
      ...{ place: 1, askAfterMs: 2, cutAfterMs: 3 },
    },
    ["7 merge-region b-", "8 cut-off s3", "15 end of cut-off s3"],
  ],
  [
    {
      ...{ kind: "lost-transfer", region: 0, place: 0, leadMs: 2 },
      ...{ messageCount: 3, how: "reset", restartMs: 9 },
    },
    [
      ...["5 cut-off s3", "7 end of cut-off s3", "7 wait for message 3 of a transfer to s3"],
      ...["15 end of cut-off s3", "15 no wait s3"],
    ],
  ],
  [{ kind: "change-program", place: 1, clusterVersion: 2 }, ["5 program 2 on 1", "15 start of 1"]],
  [
    { kind: "late-answers", region: 0, stepMs: 2, stepCount: 2, leadMs: 4, clients: 0b1 },
    [
      ...["5 slow-link s1 s2 2", "5 slow-link s3 s2 2", "9 one-way s2 s1", "9 one-way s2 s3"],
      ...["9 one-way c1 s2", "9 one-way s2 c1", "9 reset c1 s2"],
      ...["15 end of slow-link s1 s2 2", "15 end of slow-link s3 s2 2", "15 end of one-way s2 s1"],
      ...["15 end of one-way s2 s3", "15 end of one-way c1 s2", "15 end of one-way s2 c1"],
    ],
  ],
  [{ kind: "decommission", place: 3 }, ["5 decommission 3", "15 end of decommission 3"]],
  [{ kind: "lose-store", place: 1, successor: "spare" }, ["5 lose 1", "15 spare joins for 1"]],
  [{ kind: "reset-connections", a: store(0), b: leader }, ["5 reset s1 s2"]],
  [
    { kind: "crash-at-write", target: store(2), writeCount: 7, moment: "torn" },
    ["5 crash at 7 from now torn s3", "15 no crash s3"],
  ],
  [
    { kind: "crash-in-replacement", target: store(2), writeCount: 2, moment: "durable" },
    ["5 crash at 2 from next-deletion durable s3", "15 no crash s3"],
  ],
  [{ kind: "one-way", from: leader, to: { role: "pd" } }, ["5 one-way s2 pd", "15 end of one-way s2 pd"]],
  [
    { kind: "isolate", target: { role: "follower", region: 0, place: 1 } },
    ["5 isolate s3", "15 end of isolate s3"],
  ],
  [{ kind: "cut-off", target: store(0) }, ["5 cut-off s1", "15 end of cut-off s1"]],
  [{ kind: "split", left: 0b11001 }, ["5 split s1+pd+c1", "15 end of split s1+pd+c1"]],
  [
    { kind: "slow-link", from: store(0), to: store(1), delayMs: 3 },
    ["5 slow-link s1 s2 3", "15 end of slow-link s1 s2 3"],
  ],
  [{ kind: "slow-link", from: store(0), to: store(3), delayMs: 3 }, []],
];

describe("an injector", () => {
  test.each(cases)("%j", async (action, done) => {
    const cluster = new NotedCluster();
    const injector = new Injector(cluster);
    injector.schedule([{ ...action, atMs: 5, durationMs: 10 }]);
    await cluster.clock.run(100);
    expect(cluster.done).toEqual(done);
    expect(injector.counts).toEqual({ [action.kind]: 1 });
  });

  test("repairs what still lasts, once", async () => {
    const cluster = new NotedCluster();
    const injector = new Injector(cluster);
    injector.schedule([{ kind: "isolate", target: leader, atMs: 0, durationMs: 1_000 }]);
    await cluster.clock.run(10);
    injector.repair();
    expect(cluster.done.at(-1)).toBe("10 end of isolate s2");
    await cluster.clock.run(2_000);
    expect(cluster.done).toHaveLength(2);
  });

  test("a process that died at a write stays down for as long as the fault says, or until the repairs", async () => {
    const cluster = new NotedCluster();
    const injector = new Injector(cluster);
    injector.inflict({
      ...{
        kind: "crash-at-write",
        target: store(0),
        writeCount: 1,
        moment: "durable",
        atMs: 0,
        durationMs: 50,
      },
    });
    await cluster.clock.run(10);
    cluster.crash?.();
    await cluster.clock.run(45);
    expect(cluster.done.slice(1)).toEqual(["10 hold s1", "10 kill s1", "50 no crash s1"]);
    injector.repair();
    expect(cluster.done.at(-1)).toBe("55 end of hold s1");
  });

  test.each([
    ["reset" as const, ["12 reset s3 s1", "12 reset s3 s2"]],
    ["kill" as const, ["12 hold s3", "12 kill s3", "21 end of hold s3"]],
  ])("a snapshot's transfer that has come so far is lost: %s", async (how, done) => {
    const cluster = new NotedCluster();
    const injector = new Injector(cluster);
    const parameters = { region: 0, place: 0, leadMs: 2, messageCount: 3, restartMs: 9 };
    injector.inflict({ kind: "lost-transfer", how, ...parameters, atMs: 0, durationMs: 1_000 });
    await cluster.clock.run(12);
    const before = cluster.done.length;
    cluster.crash?.();
    await cluster.clock.run(50);
    expect(cluster.done.slice(before)).toEqual(done);
  });

  test("a merge is missed from when its source waits, for a while", async () => {
    const cluster = new NotedCluster();
    const parameters = { region: 1, at: "b-key0", place: 0, lateMs: 70, leadMs: 500, cutMs: 40 };
    new Injector(cluster).inflict({ kind: "missed-merge", ...parameters, atMs: 0, durationMs: 2_000 });
    await cluster.clock.run(1_000);
    expect(cluster.done).toEqual([
      ...["0 split at b-key0", "400 slow-link s2 s3 70", "500 merge-region b-eager"],
      ...["510 cut-off s3", "550 end of cut-off s3"],
    ]);
  });

  test.each([
    ["split", "split at c-", "new ids", "s3"],
    ["add-peer", "add-peer c-", "command of PD", "s1"],
  ] as const)("what a leader did PD is not told: %s", async (change, asked, last, cutOff) => {
    const cluster = new NotedCluster();
    const [first, leading] = cluster.stores;
    const parameters = { at: "c-", place: 0, cutAfterMs: 7 };
    new Injector(cluster).inflict({ kind: "untold-change", change, ...parameters, atMs: 0, durationMs: 50 });
    cluster.deliver(last, first);
    cluster.deliver("offer of a snapshot", leading);
    expect(cluster.done).toEqual([`0 ${asked}`]);
    cluster.deliver(last, leading);
    cluster.deliver("offer of a snapshot", first);
    await cluster.clock.run(20);
    expect(cluster.done).toEqual([`0 ${asked}`, "0 one-way s2 pd", `7 cut-off ${cutOff}`]);
  });

  test("a snapshot is overtaken by that of a part of its Region", async () => {
    const cluster = new NotedCluster();
    const parameters = { at: "a-key1", to: 4, place: 0, lateMs: 900, handOverMs: 9 };
    new Injector(cluster).inflict({
      ...{ kind: "overtaken-snapshot", ...parameters, atMs: 0, durationMs: 50 },
    });
    cluster.deliver("offer of a snapshot", cluster.stores[0]);
    await cluster.clock.run(20);
    expect(cluster.done).toEqual([
      ...["0 add-peer a-key1", "0 slow-link s2 s1 900", "0 split at a-key1", "9 transfer a-key1 to s3"],
    ]);
  });

  test("without a leader something happens all the same", () => {
    const cluster = new NotedCluster();
    cluster.leader = undefined;
    new Injector(cluster).inflict({ kind: "pause", targets: leader, atMs: 0, durationMs: 1 });
    expect(cluster.done).toEqual(["0 pause s1"]);
  });
});
