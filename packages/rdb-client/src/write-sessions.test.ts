import {
  type Peer,
  type Region,
  SeededRandom,
  keyInRange,
  peerId,
  regionId,
  storeId,
} from "@flaredb/rdb-base";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { WriteIdentity } from "./open-writes.ts";
import { RegionCache, type RegionEntry } from "./region-cache.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { WriteSessions } from "./write-sessions.ts";

const peer: Peer = { id: peerId(1), storeId: storeId(1), role: "Voter" };

function region(id: number, from: number, to: number, version = 1): Region {
  return {
    id: regionId(id),
    startKey: Uint8Array.of(from),
    endKey: Uint8Array.of(to),
    epoch: { confVer: 1, version },
    peers: [peer],
  };
}

function made(options: { readonly firstSequence?: number } = {}) {
  const clock = new ManualClock();
  const sessions = new WriteSessions({ clock, random: new SeededRandom(1), ...options });
  const cache = new RegionCache({ onForgotten: (entry) => sessions.forget(entry) });
  const entryAt = (key: number): RegionEntry => cache.find(Uint8Array.of(key)) as RegionEntry;
  const floorAt = (key: number): number =>
    sessions.issue(entryAt(key), clock.monotonicMs()).header.lowestOpenSequence;
  const open = (key: number): WriteIdentity => sessions.issue(entryAt(key), clock.monotonicMs()).open();
  return { clock, sessions, cache, entryAt, floorAt, open };
}

describe("the floor that a Region is told", () => {
  test("is the lowest open sequence there; another Region does not hold it back", () => {
    const { cache, floorAt, open } = made();
    cache.insert(region(1, 0, 9));
    cache.insert(region(2, 9, 20));
    const first = open(1);
    const second = open(1);
    open(10);
    expect([floorAt(1), floorAt(10)]).toEqual([1, 3]);
    first.close();
    expect(floorAt(1)).toBe(2);
    second.close();
    expect([floorAt(1), floorAt(10)]).toEqual([4, 3]);
  });

  test("is held by the writes of a Region that the map has replaced, until they end", () => {
    const { cache, floorAt, open } = made();
    cache.insert(region(1, 0, 9));
    cache.insert(region(2, 9, 20));
    const [first, second] = [open(1), open(7)];
    open(10);
    cache.insert(region(1, 0, 5, 2));
    cache.insert(region(3, 5, 9, 2));
    expect([floorAt(1), floorAt(7), floorAt(10)]).toEqual([1, 1, 1]);
    first.close();
    expect([floorAt(1), floorAt(7), floorAt(10)]).toEqual([2, 2, 2]);
    second.close();
    expect([floorAt(1), floorAt(7), floorAt(10)]).toEqual([4, 4, 3]);
  });

  test("is held by a write that is sent to a Region which the map has replaced meanwhile", () => {
    const { cache, clock, entryAt, floorAt, sessions } = made();
    cache.insert(region(1, 0, 9));
    const stale = entryAt(1);
    cache.insert(region(1, 0, 5, 2));
    cache.insert(region(3, 5, 9, 2));
    const late = sessions.issue(stale, clock.monotonicMs()).open();
    expect([floorAt(1), floorAt(7)]).toEqual([1, 1]);
    late.close();
    expect([floorAt(1), floorAt(7)]).toEqual([2, 2]);
  });
});

describe("a session", () => {
  test("has a client id that is a safe integer and not 0", () => {
    const zero = { nextInt: () => 0, nextFraction: () => 0 };
    const greatest = { nextInt: (bound: number) => bound - 1, nextFraction: () => 0 };
    for (const random of [zero, greatest]) {
      const sessions = new WriteSessions({ clock: new ManualClock(), random });
      const entry: RegionEntry = { region: region(1, 0, 9), leader: undefined };
      const { clientId } = sessions.issue(entry, 0).header;
      expect(clientId).toBeGreaterThan(0n);
      expect(clientId).toBeLessThanOrEqual(BigInt(Number.MAX_SAFE_INTEGER));
    }
  });

  test("ends when its sequences run out: the next begins at 1, what is open keeps its own", () => {
    const { cache, clock, entryAt, floorAt, open, sessions } = made({ firstSequence: 2 ** 32 - 2 ** 20 });
    cache.insert(region(1, 0, 9));
    const last = open(1);
    const next = open(1);
    expect([last.sequence, next.sequence]).toEqual([2 ** 32 - 2 ** 20, 1]);
    expect(next.session.clientId).not.toBe(last.session.clientId);
    cache.insert(region(1, 0, 5, 2));
    expect(sessions.headerOf(last.session, entryAt(1), clock.monotonicMs())).toMatchObject({
      clientId: last.session.clientId,
      lowestOpenSequence: 1,
    });
    last.close();
    expect(floorAt(1)).toBe(1);
    next.close();
    expect(floorAt(1)).toBe(2);
  });

  test("ends after a day", async () => {
    const { cache, clock, open } = made();
    cache.insert(region(1, 0, 9));
    const first = open(1);
    await clock.advance(24 * 3_600_000 + 1);
    expect(open(1).session.clientId).not.toBe(first.session.clientId);
  });
});

/** One thing that happens: `at` and `pick` choose to whom. */
interface Step {
  readonly what: "send" | "deliver" | "lose" | "answer" | "split" | "merge" | "learn" | "forget";
  readonly at: number;
  readonly pick: number;
}

interface OpenCall {
  readonly key: number;
  identity: WriteIdentity;
  entry: RegionEntry;
}

interface Message {
  readonly call: OpenCall;
  readonly identity: WriteIdentity;
  readonly entry: RegionEntry;
  readonly floor: number;
}

const KEY_COUNT = 16;

/** Regions that split and merge while a client with an old map writes to them; messages are late, lost and out of order. */
class FloorModel {
  readonly #client = made();
  #regions: Region[] = [region(1, 0, KEY_COUNT)];
  readonly #floors = new Map<number, number>([[1, 0]]);
  readonly #open: OpenCall[] = [];
  readonly #messages: Message[] = [];
  #nextId = 2;

  constructor() {
    this.#client.cache.insert(this.#regions[0] as Region);
  }

  take({ what, at, pick }: Step): void {
    switch (what) {
      case "send": {
        const call = this.#addressed({ key: at % KEY_COUNT } as OpenCall);
        this.#send(call, undefined);
        this.#open.push(call);
        return;
      }
      case "deliver":
        for (const message of this.#messages.splice(pick % Math.max(1, this.#messages.length), 1)) {
          this.#arrives(message);
        }
        return;
      case "lose": {
        const call = this.#open[pick % Math.max(1, this.#open.length)];
        if (call !== undefined) {
          call.identity.isUncertain = true;
          this.#send(this.#addressed(call), call.identity);
        }
        return;
      }
      case "answer":
        for (const call of this.#open.splice(pick % Math.max(1, this.#open.length), 1)) {
          call.identity.close();
        }
        return;
      case "split":
        this.#split(1 + (at % (KEY_COUNT - 1)));
        return;
      case "merge":
        this.#merge(at % KEY_COUNT, pick % 2 === 0);
        return;
      case "learn":
        this.#client.cache.insert(this.#regionOf(at % KEY_COUNT));
        return;
      case "forget":
        this.#client.cache.invalidate(this.#regionOf(at % KEY_COUNT).id);
    }
  }

  /** The Region that the client believes to hold the key; it asks when it believes none. */
  #addressed(call: OpenCall): OpenCall {
    const { cache } = this.#client;
    if (cache.find(Uint8Array.of(call.key)) === undefined) {
      cache.insert(this.#regionOf(call.key));
    }
    call.entry = this.#client.entryAt(call.key);
    return call;
  }

  #send(call: OpenCall, identity: WriteIdentity | undefined): void {
    const { clock, sessions } = this.#client;
    const issue = sessions.issue(call.entry, clock.monotonicMs());
    call.identity = identity ?? issue.open();
    const floor = issue.header.lowestOpenSequence;
    this.#messages.push({ call, identity: call.identity, entry: call.entry, floor });
  }

  #arrives({ call, identity, entry, floor }: Message): void {
    const { id, epoch } = entry.region;
    const current = this.#regions.find((known) => known.id === id);
    const isCurrentTry = this.#open.includes(call) && call.identity === identity;
    if (current?.epoch.version !== epoch.version) {
      // EpochNotMatch, or another Region took it: the client learns of the Regions that there are.
      for (const known of this.#regions) {
        this.#client.cache.insert(known);
      }
      if (isCurrentTry && !identity.isUncertain) {
        identity.close();
        this.#send(this.#addressed(call), undefined);
      }
      return;
    }
    const known = Math.max(this.#floors.get(id) ?? 0, floor);
    this.#floors.set(id, known);
    if (isCurrentTry) {
      expect(identity.sequence).toBeGreaterThanOrEqual(known);
    }
  }

  #split(at: number): void {
    const parent = this.#regionOf(at);
    const [from, to] = [parent.startKey[0] as number, parent.endKey[0] as number];
    if (from === at) {
      return;
    }
    const version = parent.epoch.version + 1;
    const id = this.#nextId++;
    this.#floors.set(id, this.#floors.get(parent.id) ?? 0);
    this.#regions = this.#regions
      .filter((known) => known !== parent)
      .concat(region(parent.id, from, at, version), region(id, at, to, version));
  }

  /** Of the Region that holds the key and the one behind it, either takes the other. Floors are not taken over. */
  #merge(key: number, isFirstTaken: boolean): void {
    const first = this.#regionOf(key);
    const second = this.#regions.find((known) => known.startKey[0] === first.endKey[0]);
    if (second === undefined) {
      return;
    }
    const target = isFirstTaken ? second : first;
    const version = Math.max(first.epoch.version, second.epoch.version) + 1;
    this.#floors.set(target.id, 0);
    this.#regions = this.#regions
      .filter((known) => known !== first && known !== second)
      .concat(region(target.id, first.startKey[0] as number, second.endKey[0] as number, version));
  }

  #regionOf(key: number): Region {
    return this.#regions.find((known) => keyInRange(Uint8Array.of(key), known)) as Region;
  }
}

test("a write that is open is never below the floor of a Region that it is sent to", () => {
  const what = fc.constantFrom<Step["what"]>(
    ...([
      ...(["send", "send", "deliver", "deliver", "lose", "answer"] as const),
      ...(["split", "merge", "learn", "forget"] as const),
    ] as const),
  );
  const steps = fc.array(fc.record({ what, at: fc.nat(255), pick: fc.nat(255) }), {
    maxLength: 80,
    size: "max",
  });
  fc.assert(
    fc.property(steps, (taken) => {
      const model = new FloorModel();
      for (const step of taken) {
        model.take(step);
      }
    }),
    { numRuns: 1_000 },
  );
});
