import {
  type PeerId,
  type SeededRandom,
  assert,
  clusterVersions,
  peerId,
  silentLogger,
} from "@flaredb/rdb-base";
import type { Message } from "@flaredb/rdb-raft";
import { MemoryEngine } from "@flaredb/rdb-storage";
import { Leadership } from "../leadership.ts";
import type { MemberInfo } from "../member/member-info.ts";
import { MemberKeeper } from "../member/member-keeper.ts";
import { MemberRoster } from "../member/member-roster.ts";
import { PdRaft } from "../member/pd-raft.ts";
import { PdStorage } from "../member/pd-storage.ts";
import { raftMessageFromProto, raftMessageToProto } from "../member/raft-message-codec.ts";
import { placementSchema } from "../placement/placement-config.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** One run of one member. */
export interface MemberRun {
  readonly id: PeerId;
  readonly log: PdRaft;
  readonly storage: PdStorage;
  readonly roster: MemberRoster;
  readonly keeper: MemberKeeper;
  readonly leadership: Leadership;
  /** The group took it out. */
  isRemoved: boolean;
}

/** Longest way of a message. */
const DELAY_MAX_MS = 20;
/** Longer than any test lets pass. */
const STALLED_WRITE_MS = 3_600_000;

/** The members of PD's group on virtual time: their messages cross a net that loses what a test says. */
export class MemberGroup {
  readonly clock = new VirtualClock();
  readonly #random: SeededRandom;
  readonly #engines = new Map<PeerId, MemoryEngine>();
  readonly #running = new Map<PeerId, MemberRun>();
  /** Of a thousand messages so many are lost. */
  lossPerMille = 0;
  /** Messages from or to these are lost. */
  readonly cutOff = new Set<PeerId>();
  /** What these write from now on does not become durable. */
  readonly stalled = new Set<PeerId>();
  readonly sentTypes = new Set<string>();

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  static async start(random: SeededRandom, count: number): Promise<MemberGroup> {
    const group = new MemberGroup(random);
    const voters = Array.from({ length: count }, (_, at) => peerId(at + 1));
    for (const id of voters) {
      await group.startMember(id, voters);
    }
    return group;
  }

  /** @param firstVoters none: it joins */
  async startMember(id: PeerId, firstVoters: readonly PeerId[]): Promise<MemberRun> {
    const engine = this.#engines.get(id) ?? this.#newEngine(id);
    this.#engines.set(id, engine);
    const firstNames = firstVoters.map((voter) => infoOf(voter).name);
    let opened: PdStorage | undefined;
    void PdStorage.open(engine, { memberId: id, firstVoters, firstNames }).then((storage) => {
      opened = storage;
    });
    await this.clock.until(() => opened !== undefined);
    assert(opened !== undefined, "it is open");
    const run = this.#assemble(id, firstVoters, opened);
    this.#running.set(id, run);
    run.log.start();
    return run;
  }

  /** As by kill -9 and a loss of power. */
  kill(id: PeerId): void {
    const run = this.member(id);
    this.#running.delete(id);
    run.leadership.close();
    const engine = this.#engines.get(id);
    assert(engine !== undefined, "a member that runs has a disk");
    this.#engines.set(id, engine.crash());
    // Its timers and its old disk go on in the void: nothing that they do is seen.
    void run.log.close();
  }

  member(id: PeerId): MemberRun {
    const run = this.#running.get(id);
    assert(run !== undefined, "the member runs");
    return run;
  }

  get running(): readonly MemberRun[] {
    return [...this.#running.values()];
  }

  /** The member that serves, if there is one that the net reaches. */
  get leader(): MemberRun | undefined {
    return this.running.find(({ id, leadership }) => leadership.isServing && !this.cutOff.has(id));
  }

  /** Waits for a member that serves. */
  async elected(): Promise<MemberRun> {
    await this.clock.until(() => this.leader !== undefined);
    assert(this.leader !== undefined, "one serves");
    return this.leader;
  }

  /** What the promise comes to, letting time pass. */
  async outcome<Value>(promise: Promise<Value>): Promise<Value> {
    let isSettled = false;
    const watched = promise.finally(() => {
      isSettled = true;
    });
    watched.catch(() => {
      // Whoever awaits what this returns is told.
    });
    await this.clock.until(() => isSettled);
    return watched;
  }

  #newEngine(id: PeerId): MemoryEngine {
    return new MemoryEngine({
      clock: this.clock,
      random: this.#random,
      writeDelayMs: () => (this.stalled.has(id) ? STALLED_WRITE_MS : 0),
      onFatal: (error) => {
        throw error;
      },
    });
  }

  #assemble(id: PeerId, firstVoters: readonly PeerId[], storage: PdStorage): MemberRun {
    const { clock } = this;
    const logger = silentLogger;
    const random = this.#random;
    const timing = { tickMs: 100, heartbeatTicks: 2, electionTicks: 10 };
    const log = new PdRaft({
      ...{ memberId: id, storage, clock, random, logger, ...timing },
      send: (message) => this.#send(message),
      onExcluded: () => {
        run.isRemoved = true;
      },
    });
    const self = infoOf(id);
    const roster = new MemberRoster({
      ...{ log, storage, knownVersion: clusterVersions.newest },
      self: () => self,
      initial: new Map(firstVoters.map((voter) => [voter, infoOf(voter)])),
    });
    const keeper = new MemberKeeper({ log, roster, clock, logger });
    const leadership = new Leadership({
      ...{ log, storage, clock, random, logger },
      placement: placementSchema.parse({}),
      members: () => [{ name: "alone", clusterVersion: clusterVersions.oldest }],
      clusterConfig: { bootstrapStoreCount: 3, replicaCount: 3, initialRanges: [] },
      onServing: () => keeper.start(),
      onEnded: () => keeper.stop(),
    });
    log.watch({
      leads: () => leadership.begin(),
      follows: () => leadership.end(),
      advanced: () => {},
    });
    const run: MemberRun = { id, log, storage, roster, keeper, leadership, isRemoved: false };
    return run;
  }

  #send(message: Message): boolean {
    const { from, to, snapshot } = message;
    const wire = raftMessageToProto(message);
    assert(wire !== undefined && from !== 0 && to !== 0, "what is sent can travel");
    this.sentTypes.add(message.type);
    const isLost =
      this.cutOff.has(from) || this.cutOff.has(to) || this.#random.nextInt(1_000) < this.lossPerMille;
    if (!isLost) {
      this.clock.setTimer(1 + this.#random.nextInt(DELAY_MAX_MS), () =>
        this.#running
          .get(to)
          ?.log.step(raftMessageFromProto(wire, { from, to }, snapshot?.data ?? new Uint8Array(0))),
      );
    }
    return !isLost;
  }
}

function infoOf(id: PeerId): MemberInfo {
  return { id, name: `pd-${id}`, address: `127.0.0.1:${7_400 + id}`, httpAddress: `127.0.0.1:${7_500 + id}` };
}
