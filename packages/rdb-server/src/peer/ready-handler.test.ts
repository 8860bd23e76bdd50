import { index, peerId, regionId, term } from "@flaredb/rdb-base";
import {
  type Entry,
  LOCAL_APPEND_THREAD,
  LOCAL_APPLY_THREAD,
  type Message,
  type MessageFields,
  type RawNode,
  type Ready,
  newMessage,
} from "@flaredb/rdb-raft";
import { type Engine, EntryCache, RaftLogStore, WritePart } from "@flaredb/rdb-storage";
import { beforeEach, describe, expect, it } from "vitest";
import { SimClock, bytes, testEngine } from "../testing/index.ts";
import { ReadyHandler } from "./ready-handler.ts";

const SELF = peerId(1);
const OTHER = peerId(2);
const ROUND_MS = 10;

/** A core that asks for what the test says, and notes what it is told. */
class ScriptedNode {
  readonly id = SELF;
  readonly stepped: Message[] = [];
  readonly #readies: Ready[] = [];

  ask(...messages: Message[]): void {
    this.#readies.push({
      softState: undefined,
      hardState: undefined,
      readStates: [],
      entries: [],
      snapshot: undefined,
      committedEntries: [],
      mustSync: false,
      messages,
    });
  }

  hasReady(): boolean {
    return this.#readies.length > 0;
  }

  ready(): Ready {
    return this.#readies.shift() as Ready;
  }

  step(message: Message): string {
    this.stepped.push(message);
    return "ok";
  }
}

let clock: SimClock;
let engine: Engine;
let node: ScriptedNode;
let handler: ReadyHandler;
/** What happened outside the core, in order. */
let events: string[];
let applyIsPaused: boolean;
let installed: (() => void) | undefined;

function entry(at: number): Entry {
  return { type: "Normal", index: index(at), term: term(6), data: bytes(`${at}`) };
}

const toOther = (fields: Partial<MessageFields> & { type: MessageFields["type"] }): Message =>
  newMessage({ to: OTHER, from: SELF, term: term(6), ...fields });
const toSelf = (at: number): Message =>
  newMessage({ type: "MsgStorageAppendResp", to: SELF, from: LOCAL_APPEND_THREAD, index: index(at) });
const append = (entries: Entry[], responses: Message[], fields: Partial<MessageFields> = {}): Message =>
  newMessage({
    type: "MsgStorageAppend",
    to: LOCAL_APPEND_THREAD,
    from: SELF,
    entries,
    responses,
    ...fields,
  });
const apply = (...entries: Entry[]): Message =>
  newMessage({
    type: "MsgStorageApply",
    to: LOCAL_APPLY_THREAD,
    from: SELF,
    entries,
    responses: [newMessage({ type: "MsgStorageApplyResp", to: SELF, from: LOCAL_APPLY_THREAD, entries })],
  });
const snapshotAppend = (responses: Message[]): Message =>
  append([], responses, {
    snapshot: {
      metadata: {
        index: index(50),
        term: term(6),
        confState: { voters: [], learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false },
      },
      data: new Uint8Array(0),
    },
  });

beforeEach(async () => {
  clock = new SimClock();
  node = new ScriptedNode();
  events = [];
  applyIsPaused = false;
  installed = undefined;
  engine = testEngine(clock, { writeDelayMs: () => ROUND_MS });
  const part = new WritePart();
  const confState = {
    voters: [SELF, OTHER],
    learners: [],
    votersOutgoing: [],
    learnersNext: [],
    autoLeave: false,
  };
  RaftLogStore.initialise(part, { regionId: regionId(1), index: index(5), term: term(5), confState });
  engine.submit(part);
  const log = await clock.complete(
    RaftLogStore.open(engine, {
      regionId: regionId(1),
      cache: new EntryCache(1_000_000),
      applied: index(5),
      makeSnapshot: () => "temporarily-unavailable",
    }),
    1_000,
  );
  await clock.run(5 * ROUND_MS);
  handler = new ReadyHandler({
    engine,
    node: node as unknown as RawNode,
    log,
    appended: () => {},
    appending: () => () => {},
    send: (message) => events.push(`send ${message.type}`),
    applyIsPaused: () => applyIsPaused,
    apply: (entries) => {
      events.push(`apply ${entries.map((one) => one.index).join()}`);
      if (entries.some((one) => one.index === 13)) {
        throw new Error("an unlucky entry");
      }
    },
    installSnapshot: (_message, _snapshot, done) => {
      events.push("install");
      installed = done;
    },
    readStates: () => {},
    softStateChanged: () => {},
    wantsTurn: () => events.push("wants a turn"),
    halt: () => events.push("halt"),
  });
});

const stepped = (): string[] =>
  node.stepped.map((message) => `${message.type} ${message.index || message.entries.at(-1)?.index}`);

describe("ReadyHandler", () => {
  it("SPEC-R3: sends a leader's appends at once, and answers that speak of the log only when it is durable", async () => {
    node.ask(toOther({ type: "MsgApp" }), append([entry(6)], [toOther({ type: "MsgAppResp" }), toSelf(6)]));
    handler.run();
    expect(events).toEqual(["send MsgApp"]);
    expect(handler.isSettled).toBe(false);
    await clock.run(ROUND_MS);
    expect(events).toEqual(["send MsgApp", "wants a turn"]);
    handler.run();
    expect(events).toEqual(["send MsgApp", "wants a turn", "send MsgAppResp"]);
    expect(stepped()).toEqual(["MsgStorageAppendResp 6"]);
    expect(handler.isSettled).toBe(true);
  });

  it("SPEC-R3: answers a vote only when it is durable", async () => {
    const vote = append([], [toOther({ type: "MsgVoteResp" })], {
      term: term(7),
      vote: OTHER,
      commit: index(5),
    });
    node.ask(vote);
    handler.run();
    expect(events).toEqual([]);
    await clock.run(ROUND_MS);
    handler.run();
    expect(events).toEqual(["wants a turn", "send MsgVoteResp"]);
  });

  it("answers at once what needs no write, but not before what is on its way", async () => {
    node.ask(append([], [toOther({ type: "MsgPreVoteResp" })]));
    handler.run();
    expect(events).toEqual(["send MsgPreVoteResp"]);

    node.ask(append([entry(6)], [toSelf(6)]), append([], [toOther({ type: "MsgAppResp" })]));
    handler.run();
    expect(events).toEqual(["send MsgPreVoteResp"]);
    await clock.run(ROUND_MS);
    handler.run();
    expect(events.at(-1)).toBe("send MsgAppResp");
  });

  it("lets a commit index ride with the next append rather than write for it", () => {
    node.ask(append([], [toOther({ type: "MsgAppResp" })], { term: term(5), commit: index(6) }));
    handler.run();
    expect(events).toEqual(["send MsgAppResp"]);
  });

  it("writes a commit index that it was told alone with the entries that come after it", async () => {
    node.ask(append([entry(6)], []), append([], [], { term: term(5), commit: index(6) }));
    handler.run();
    await clock.run(2 * ROUND_MS);
    expect(RaftLogStore.hardStateOf(engine, regionId(1))?.commit).toBe(5);
    node.ask(append([entry(7)], []));
    handler.run();
    await clock.run(ROUND_MS);
    expect(RaftLogStore.hardStateOf(engine, regionId(1))).toEqual({ term: 5, vote: 0, commit: 6 });
  });

  it("does not write an old commit index over a newer one", async () => {
    node.ask(
      append([entry(6), entry(7)], []),
      append([], [], { term: term(5), commit: index(6) }),
      append([entry(8)], [], { term: term(5), commit: index(7) }),
      append([entry(9)], []),
    );
    handler.run();
    await clock.run(3 * ROUND_MS);
    expect(RaftLogStore.hardStateOf(engine, regionId(1))?.commit).toBe(7);
  });

  it("applies in order, and tells the core when it is done", () => {
    node.ask(apply(entry(6), entry(7)), apply(entry(8)));
    handler.run();
    expect(events).toEqual(["apply 6,7", "apply 8"]);
    expect(stepped()).toEqual(["MsgStorageApplyResp 7", "MsgStorageApplyResp 8"]);
  });

  it("waits with applying while the writer is behind, and goes on in order", () => {
    applyIsPaused = true;
    node.ask(apply(entry(6)));
    handler.run();
    expect(events).toEqual([]);
    expect(handler.isSettled).toBe(false);
    applyIsPaused = false;
    node.ask(apply(entry(7)));
    handler.run();
    expect(events).toEqual(["apply 6", "apply 7"]);
  });

  it("drops what waits to be applied when a snapshot replaces what it would write to", () => {
    applyIsPaused = true;
    node.ask(apply(entry(6)), snapshotAppend([toSelf(50)]));
    handler.run();
    applyIsPaused = false;
    handler.run();
    expect(events).toEqual(["install"]);
    // The core must not wait for it.
    expect(stepped()).toEqual(["MsgStorageApplyResp 6"]);
  });

  it("answers a snapshot when it is installed, and appends behind it after that", async () => {
    node.ask(snapshotAppend([toSelf(50)]));
    handler.run();
    expect(handler.isInstalling).toBe(true);
    node.ask(append([entry(6)], [toSelf(51)]));
    handler.run();
    await clock.run(5 * ROUND_MS);
    handler.run();
    expect(stepped()).toEqual([]);
    installed?.();
    expect(handler.isInstalling).toBe(false);
    handler.run();
    expect(stepped()).toEqual(["MsgStorageAppendResp 50", "MsgStorageAppendResp 51"]);
  });

  it("halts at an entry that cannot be applied, and applies nothing after it", () => {
    node.ask(apply(entry(12)), apply(entry(13)), apply(entry(14)));
    handler.run();
    expect(events).toEqual(["apply 12", "apply 13", "halt"]);
    expect(stepped()).toEqual(["MsgStorageApplyResp 12"]);
  });

  it("does not starve the others: after many Readys it asks for another turn", () => {
    for (let count = 0; count < 100; count++) {
      node.ask(toOther({ type: "MsgHeartbeat" }));
    }
    handler.run();
    expect(events.filter((event) => event === "send MsgHeartbeat")).toHaveLength(64);
    expect(events.at(-1)).toBe("wants a turn");
    handler.run();
    expect(events.filter((event) => event === "send MsgHeartbeat")).toHaveLength(100);
  });

  it("takes no news once it is stopped", async () => {
    node.ask(append([entry(6)], [toOther({ type: "MsgAppResp" })]));
    handler.run();
    handler.stop();
    await clock.run(ROUND_MS);
    handler.run();
    expect(events).toEqual([]);
  });
});
