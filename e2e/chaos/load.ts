import { type Random, systemClock } from "@flaredb/rdb-base";
import type { RdbClient } from "@flaredb/rdb-client";
import { History, PrefixWorkload, RegisterWorkload } from "@flaredb/rdb-sim/history";
import type { ChaosCluster } from "./chaos-cluster.ts";
import { HistoryClient } from "./history-client.ts";
import { LaneWriter } from "./lane-writer.ts";

/** Parts of the key space that each begin as a Region of their own; the rest is the registers'. */
const LANES = ["b/", "f/", "j/", "n/"] as const;
/** Between them. */
export const INITIAL_REGIONS = "d,h,l,r";

const REGISTER_CLIENT_COUNT = 6;
const LOOP_CLIENT_COUNT = 3;
/** Of each round; the second begins a Region of its own. */
const GROUPS = ["a", "m"] as const;
const KEYS_PER_GROUP = 3;
const PAUSE_MAX_MS = 60;
/** Short: calls that a fault hits shall end undecided, not only late. */
const DEADLINE_MS = 1_500;
/** Of what is read in the end, with everything healed. */
const READER_DEADLINE_MS = 120_000;

/** What was wrong in a round, in words. */
export interface RoundFindings {
  readonly history: History;
  /** What the client loops saw that cannot be. */
  readonly violations: readonly { readonly name: string; readonly message: string }[];
}

/**
 * Everything that is asked of the cluster: a writer for each lane that never pauses for long, and, in rounds, the
 * register workload and the client loop, whose calls make a history.
 */
export class Load {
  readonly lanes: readonly LaneWriter[];
  readonly #cluster: ChaosCluster;
  /** Reads back and takes away what is not needed any more. */
  readonly #janitor: RdbClient;
  readonly #registerClients: readonly HistoryClient[];
  readonly #loopClients: readonly HistoryClient[];
  readonly #reader: HistoryClient;
  readonly #random: Random;
  #round: Round | undefined;
  #roundCount = 0;
  #endedCallCount = 0;

  /** Starts the lanes. */
  static async start(cluster: ChaosCluster, random: Random): Promise<Load> {
    const several = (name: string, count: number): Promise<HistoryClient[]> =>
      Promise.all(
        Array.from({ length: count }, (_, at) =>
          HistoryClient.connect(cluster, `${name}-${at + 1}`, DEADLINE_MS),
        ),
      );
    const lanes = await Promise.all(
      LANES.map(async (lane) => new LaneWriter(await cluster.connect(READER_DEADLINE_MS), `${lane}row/`)),
    );
    const reader = await HistoryClient.connect(cluster, "reader", READER_DEADLINE_MS);
    const registers = await several("register", REGISTER_CLIENT_COUNT);
    return new Load({
      cluster,
      lanes,
      janitor: await cluster.connect(READER_DEADLINE_MS),
      reader,
      registers,
      loops: await several("loop", LOOP_CLIENT_COUNT),
      random,
    });
  }

  private constructor(parts: {
    readonly cluster: ChaosCluster;
    readonly lanes: readonly LaneWriter[];
    readonly janitor: RdbClient;
    readonly reader: HistoryClient;
    readonly registers: readonly HistoryClient[];
    readonly loops: readonly HistoryClient[];
    readonly random: Random;
  }) {
    this.lanes = parts.lanes;
    this.#cluster = parts.cluster;
    this.#janitor = parts.janitor;
    this.#reader = parts.reader;
    this.#registerClients = parts.registers;
    this.#loopClients = parts.loops;
    this.#random = parts.random;
  }

  /** Rows of all lanes that were acknowledged. */
  get writeCount(): number {
    return this.lanes.reduce((count, lane) => count + lane.acknowledgedCount, 0);
  }

  /** Calls of all histories that have ended. */
  get callCount(): number {
    return this.#endedCallCount + (this.#round?.history.calls.length ?? 0);
  }

  /** The longest gap of any lane so far, milliseconds. */
  longestGapMs(nowMs: number): number {
    return Math.max(...this.lanes.map(({ gaps }) => gaps.longestMs(nowMs)));
  }

  /** The longest gap of any lane since all were marked, milliseconds. */
  longestGapSinceMarkMs(nowMs: number): number {
    return Math.max(...this.lanes.map(({ gaps }) => gaps.longestSinceMarkMs(nowMs)));
  }

  /** Starts registers and client loops on keys that nobody used before, and splits a Region between the registers. */
  async beginRound(): Promise<void> {
    const name = roundName(++this.#roundCount);
    // Scans of the registers must meet no other keys: each round has a stretch of its own behind all lanes.
    const groups = GROUPS.map((group) => `${registerPrefix(name)}${group}/`);
    await this.#cluster.splitAt(groups[1] as string);
    const history = new History();
    const terms = { clock: systemClock, random: this.#random, pauseMaxMs: PAUSE_MAX_MS };
    const recorded = (clients: readonly HistoryClient[]) =>
      clients.map((client) => client.recordedIn(history));
    const keyNames = Array.from({ length: KEYS_PER_GROUP }, (_, at) => at + 1);
    this.#round = {
      history,
      registers: new RegisterWorkload({
        ...terms,
        clients: recorded(this.#registerClients),
        groups: groups.map((group) => keyNames.map((each) => `${group}${each}`)),
      }),
      loops: new PrefixWorkload({
        ...terms,
        clients: recorded(this.#loopClients),
        prefixOf: (place) => loopPrefix(LANES[place % LANES.length] as string, name),
      }),
    };
  }

  /** Lets the calls under way end, and reads everything of the round back. @throws RdbError when it cannot be read */
  async endRound(): Promise<RoundFindings> {
    const round = this.#round;
    if (round === undefined) {
      throw new Error("no round has begun");
    }
    await Promise.all([round.registers.stop(), round.loops.stop()]);
    const reader = this.#reader.recordedIn(round.history);
    await round.registers.finish(reader);
    await round.loops.finish(reader);
    this.#endedCallCount += round.history.calls.length;
    this.#round = undefined;
    return { history: round.history, violations: round.loops.violations };
  }

  /**
   * Deletes what nobody will look at again: the keys of the last round, and older rows of the lanes, which are read back
   * before. Data would grow with the length of a run otherwise, and so would what is to be read back in the end.
   *
   * @returns in words what of the rows is not as it should be
   */
  async tidyUp(): Promise<string[]> {
    const name = roundName(this.#roundCount);
    const prefixes = [registerPrefix(name), ...LANES.map((lane) => loopPrefix(lane, name))];
    await Promise.all(prefixes.map((prefix) => this.#janitor.deleteRange({ prefix })));
    return (await Promise.all(this.lanes.map((lane) => lane.thinOut(this.#janitor)))).flat();
  }
}

function roundName(count: number): string {
  return String(count).padStart(4, "0");
}

function registerPrefix(round: string): string {
  return `register/${round}/`;
}

function loopPrefix(lane: string, round: string): string {
  return `${lane}loop/${round}/`;
}

interface Round {
  readonly history: History;
  readonly registers: RegisterWorkload;
  readonly loops: PrefixWorkload;
}
