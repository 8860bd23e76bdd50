import { type Region, index, peerId, regionId, storeId, term } from "@flaredb/rdb-base";
import type { KvResponse } from "@flaredb/rdb-proto";
import type { Entry } from "@flaredb/rdb-raft";
import { type ApplyState, getApplyState, parseIndexedKey, regionKeyRange } from "@flaredb/rdb-storage";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SimClock, bytes, kvCommand, testEngine } from "../testing/index.ts";
import { Applier } from "./applier.ts";
import { type FoldableCommand, encodeLogCommand, foldedBody, logCommand } from "./commands.ts";
import { PendingEntries } from "./proposal-queue.ts";
import { EntryIdentities } from "./request-identity.ts";
import { epochNotMatch } from "./responses.ts";
import { SessionTable } from "./session-table.ts";

const region: Region = {
  id: regionId(9),
  startKey: bytes(""),
  endKey: bytes(""),
  epoch: { confVer: 1, version: 1 },
  peers: [{ id: peerId(1), storeId: storeId(1), role: "Voter" }],
};
const START: ApplyState = { index: index(5), term: term(5), revision: 0, logTimeMs: 0 };
const START_MS = 1_000_000;
const WINDOW_MS = 60_000;
const AHEAD_MS = 5_000;

/** One try of one write: a batch of four keys, or since the cut a half of it. */
interface Try {
  readonly client: number;
  readonly sequence: number;
  /** What the client says is its lowest open sequence; never above this one. */
  readonly floor: number;
  readonly issuedAtMs: number;
  /** Places of its keys, of the four. */
  readonly part: readonly number[];
}

interface Step {
  readonly advanceMs: number;
  readonly tries: readonly Try[];
  readonly restart: boolean;
  /** Applied in one go with the step before. */
  readonly joins: boolean;
}

/** A step as an entry of the log. */
interface Proposed {
  readonly at: number;
  readonly logTimeMs: number;
  readonly tries: readonly Try[];
}

const keyName = ({ client, sequence }: Try, place: number): string => `${client}/${sequence}/${place}`;

/** The rules of exactly-once writes, written down as plainly as can be. */
class Model {
  logTimeMs = 0;
  revision = 0;
  applied: string[] = [];
  #records: { of: Try; at: number; logTimeMs: number; version: number }[] = [];
  #floors = new Map<number, { floor: number; at: number; logTimeMs: number }>();

  apply(at: number, entryLogTimeMs: number, tries: readonly Try[]): string[] {
    this.logTimeMs = Math.max(this.logTimeMs, entryLogTimeMs);
    const isOver = (logTimeMs: number): boolean => logTimeMs + AHEAD_MS < this.logTimeMs - WINDOW_MS;
    this.#records = this.#records.filter((record) => !isOver(record.logTimeMs));
    for (const [client, { logTimeMs }] of this.#floors) {
      if (isOver(logTimeMs)) {
        this.#floors.delete(client);
      }
    }
    const floorOf = (client: number): number =>
      Math.max(
        this.#floors.get(client)?.floor ?? 0,
        ...tries.filter((other) => other.client === client).map((other) => other.floor),
      );
    const recordedClients = new Set<number>();
    const answers = tries.map((one) => {
      if (one.sequence < floorOf(one.client)) {
        return "closed";
      }
      if (one.issuedAtMs < this.logTimeMs - WINDOW_MS || one.issuedAtMs > this.logTimeMs + AHEAD_MS) {
        return `expired at ${this.logTimeMs}`;
      }
      const known = this.#records.find(
        ({ of }) =>
          of.client === one.client &&
          of.sequence === one.sequence &&
          one.part.every((place) => of.part.includes(place)),
      );
      if (known !== undefined) {
        return `version ${known.version}`;
      }
      this.revision += one.part.length;
      this.applied.push(...one.part.map((place) => keyName(one, place)));
      this.#records.push({ of: one, at, logTimeMs: this.logTimeMs, version: this.revision });
      recordedClients.add(one.client);
      return `version ${this.revision}`;
    });
    for (const client of recordedClients) {
      const floor = floorOf(client);
      this.#floors.set(client, { floor, at, logTimeMs: this.logTimeMs });
      this.#records = this.#records.filter(({ of }) => of.client !== client || of.sequence >= floor);
    }
    return answers;
  }

  get rowIndexes(): number[] {
    const used = new Set([...this.#records, ...this.#floors.values()].map(({ at }) => at));
    return [...used].toSorted((a, b) => a - b);
  }

  get count(): number {
    return this.#records.length + this.#floors.size;
  }
}

/** The applier over an engine; restarted, it knows what the rows say. */
class Subject {
  readonly #clock = new SimClock();
  readonly engine = testEngine(this.#clock);
  readonly #pending = new PendingEntries();
  #applier = this.#make(START, new SessionTable());

  get count(): number {
    return this.#applier.sessions.count;
  }

  async restart(): Promise<void> {
    const sessions = await this.#clock.complete(SessionTable.load(this.engine, region.id), 1_000);
    this.#applier = this.#make(getApplyState(this.engine, region.id) ?? START, sessions);
  }

  /** @returns the answers of all entries */
  apply(proposed: readonly Proposed[]): string[] {
    const answers: KvResponse[][] = [];
    this.#applier.apply(
      proposed.map((one) => {
        const ofEntry: KvResponse[] = [];
        answers.push(ofEntry);
        return this.#entry(one, ofEntry);
      }),
    );
    return answers.flat().map(describeAnswer);
  }

  #entry({ at, logTimeMs, tries }: Proposed, answers: KvResponse[]): Entry {
    const identities = new EntryIdentities(logTimeMs);
    for (const { client, floor, sequence, issuedAtMs } of tries) {
      identities.add({
        session: {
          $typeName: "rdb.v1.ClientSession",
          clientId: BigInt(client),
          lowestOpenSequence: floor,
        },
        sequence,
        issuedAtMs,
      });
    }
    const command = logCommand(region.epoch, logTimeMs, foldedBody(tries.map(batchPut)), identities.entry());
    const callers = tries.map((_, place) => ({
      requestId: place,
      deadlineMs: 0,
      respond: (answer: KvResponse) => {
        answers[place] = answer;
      },
    }));
    this.#pending.add({ index: at, term: 6, command, callers });
    return { type: "Normal", index: index(at), term: term(6), data: encodeLogCommand(command) };
  }

  async rows(): Promise<{ readonly at: number; readonly row: string }[]> {
    const cursor = this.engine.openCursor("session", regionKeyRange(region.id));
    const { rows, done } = await this.#clock.complete(cursor.next(10_000, 10_000_000), 1_000);
    cursor.close();
    expect(done).toBe(true);
    return rows.map(({ key, value }) => ({
      at: parseIndexedKey(key).index,
      row: Buffer.from(value).toString("hex"),
    }));
  }

  #make(state: ApplyState, sessions: SessionTable): Applier {
    return new Applier(
      {
        engine: this.engine,
        region: () => region,
        epochNotMatch: (version) => epochNotMatch(region, version),
        pending: this.#pending,
        compactLog: () => {},
        isRemoved: () => false,
        isBeingTaken: () => false,
        applyAdmin: ({ state: at }) => ({ state: at }),
      },
      state,
      sessions,
    );
  }
}

function batchPut(one: Try): FoldableCommand {
  const rows = one.part.map((place) => ({ key: bytes(keyName(one, place)), value: bytes("x") }));
  return kvCommand({ case: "batchPut", value: { rows } }) as FoldableCommand;
}

function describeAnswer({ result }: KvResponse): string {
  if (result.case === "batchPut") {
    return `version ${result.value.version}`;
  }
  const reason = result.case === "error" ? result.value.reason : undefined;
  return reason?.case === "sequenceClosed"
    ? "closed"
    : reason?.case === "requestExpired"
      ? `expired at ${reason.value.logTimeMs}`
      : `${result.case} ${reason?.case}`;
}

/** Writes of few clients, tried again and again under the same identity, while time runs, jumps and goes back. */
const histories = fc
  .record({
    // When each write of each client is issued, against the start.
    issued: fc.array(fc.integer({ min: -70_000, max: 300_000 }), { minLength: 36, maxLength: 36 }),
    cutAt: fc.nat(40),
    steps: fc.array(
      fc.record({
        advanceMs: fc.oneof(
          fc.integer({ min: 0, max: 3_000 }),
          fc.constantFrom(-20_000, 30_000, 60_000, 65_001),
        ),
        restart: fc.boolean(),
        joins: fc.boolean(),
        tries: fc.array(
          fc.record({
            client: fc.integer({ min: 1, max: 3 }),
            sequence: fc.integer({ min: 1, max: 12 }),
            closes: fc.nat(12),
            fresh: fc.boolean(),
            half: fc.nat(1),
          }),
          { minLength: 1, maxLength: 5 },
        ),
      }),
      { minLength: 1, maxLength: 40, size: "max" },
    ),
  })
  .map(({ issued, cutAt, steps }): Step[] => {
    let nowMs = START_MS;
    const issuedAt = new Map<string, number>();
    return steps.map(({ advanceMs, restart, joins, tries }, at) => {
      nowMs += advanceMs;
      return {
        advanceMs,
        restart,
        joins,
        tries: tries.map(({ client, sequence, closes, fresh, half }): Try => {
          const name = `${client}/${sequence}`;
          const plannedMs = START_MS + (issued[(client - 1) * 12 + sequence - 1] as number);
          // Whichever it is, a retry has the issue time of the first try.
          const issuedAtMs = issuedAt.get(name) ?? (fresh ? nowMs : plannedMs);
          issuedAt.set(name, issuedAtMs);
          // Halves overlap as ranges, as those of a client that cuts wrongly would.
          const part = at < cutAt ? [0, 1, 2, 3] : half === 0 ? [0, 1, 3] : [2];
          return { client, sequence, floor: Math.max(0, sequence - closes), issuedAtMs, part };
        }),
      };
    });
  });

/** Steps as entries, together with those that are applied in one go. */
function groups(steps: readonly Step[]): { readonly proposed: Proposed[]; readonly restart: boolean }[] {
  const all: { proposed: Proposed[]; restart: boolean }[] = [];
  let logTimeMs = START_MS;
  for (const [place, { advanceMs, tries, restart, joins }] of steps.entries()) {
    logTimeMs += advanceMs;
    const one = { at: START.index + 1 + place, logTimeMs, tries };
    const last = all.at(-1);
    if (joins && last !== undefined) {
      last.proposed.push(one);
    } else {
      all.push({ proposed: [one], restart });
    }
  }
  return all;
}

describe("exactly-once writes", () => {
  it("SPEC-R4: decide, remember and forget as the plain model does, across restarts", async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (steps) => {
        const model = new Model();
        const steady = new Subject();
        const restarted = new Subject();
        for (const { proposed, restart } of groups(steps)) {
          if (restart) {
            await restarted.restart();
          }
          const expected = proposed.flatMap(({ at, logTimeMs, tries }) => model.apply(at, logTimeMs, tries));
          expect(steady.apply(proposed)).toEqual(expected);
          expect(restarted.apply(proposed)).toEqual(expected);
          const rows = await steady.rows();
          expect(rows.map((row) => row.at)).toEqual(model.rowIndexes);
          expect(await restarted.rows()).toEqual(rows);
          expect([steady.count, restarted.count]).toEqual([model.count, model.count]);
        }
        expect(new Set(model.applied).size, "no key of a write is applied twice").toBe(model.applied.length);
      }),
      { numRuns: 150 },
    );
  });
});
