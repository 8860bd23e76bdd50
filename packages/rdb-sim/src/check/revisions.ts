import { type Facts, type PageFact, type ReadFact, factsOf } from "./facts.ts";
import { type Call, keysOf } from "./history.ts";
import { type Descent, type Joining, Lineage } from "./lineage.ts";
import { ownerProblems } from "./key-owners.ts";
import { type KeyEvent, RegionTimeline } from "./region-timeline.ts";
import { RevisionFloors } from "./revision-floors.ts";
import { type Problem, toViolation } from "./revision-problem.ts";
import { RevisionTakers } from "./revision-takers.ts";
import { takenCount } from "./taken-count.ts";
import { type Gap, UnknownWrites } from "./unknown-writes.ts";
import type { Violation } from "./violation.ts";

export interface RevisionOptions {
  /** Regions that were split off others. Default: none was. */
  readonly descents?: readonly Descent[];
  /** Regions that took the range of others. Default: none did. */
  readonly joinings?: readonly Joining[];
}

/** Behind a revision, and before the next. */
const HALF = 0.5;
/** Violations of one history that are told. */
const VIOLATIONS_MAX_COUNT = 10;

/**
 * Whether all answers are what their Regions were at the revisions that the answers name. The history must hold every
 * write that the Regions ever saw. Each put and delete takes one revision of its Region, so acknowledged writes, in the
 * order of their revisions, are the Region's whole past, but for gaps, which writes of unknown outcome may fill. Then
 * - no revision is taken twice, and none by nobody;
 * - every get, batch and page of a scan shows exactly its Region at its revision;
 * - what begins after an answer has no lower revision, and a write a greater one;
 * - each key has one owner: a Region answers for it until it is split off or merged away, and then never again.
 *
 * Conditions that did not hold are left to `checkKeys`.
 */
export function checkRevisions(calls: readonly Call[], options: RevisionOptions = {}): Violation[] {
  return new RevisionCheck(calls, options).run();
}

/** When a row was last seen, and first missed. */
interface Life {
  seen?: ReadFact;
  missed?: ReadFact;
}

class RevisionCheck {
  readonly #calls: readonly Call[];
  readonly #facts: Facts;
  readonly #lineage: Lineage;
  readonly #timeline: RegionTimeline;
  readonly #floors: RevisionFloors;
  readonly #unknown: UnknownWrites;
  readonly #takers: RevisionTakers;
  readonly #lives = new Map<KeyEvent, Life>();
  readonly #problems: Problem[] = [];

  constructor(calls: readonly Call[], { descents, joinings }: RevisionOptions) {
    this.#lineage = new Lineage(descents, joinings);
    this.#calls = calls.map((call) => atHome(call, this.#lineage));
    this.#facts = factsOf(this.#calls);
    this.#timeline = new RegionTimeline(this.#lineage);
    this.#floors = new RevisionFloors(this.#calls);
    this.#unknown = new UnknownWrites(this.#calls, this.#floors);
    this.#takers = new RevisionTakers(this.#lineage, this.#unknown);
  }

  run(): Violation[] {
    const { reads, pages } = this.#facts;
    this.#calls.forEach((call) => this.#checkTime(call));
    this.#problems.push(...ownerProblems(this.#calls, this.#lineage));
    this.#collectEvents();
    reads.forEach((read) => this.#checkRead(read));
    pages.forEach((page) => this.#checkPage(page));
    this.#lives.forEach((life, event) => this.#checkLife(event, life));
    this.#report(this.#takers.checkGaps(this.#floors));
    return this.#problems.slice(0, VIOLATIONS_MAX_COUNT).map(toViolation);
  }

  /** Real time: answers that are over bound what comes after them. */
  #checkTime(call: Call): void {
    if (call.outcome !== "ok" || call.shown === undefined) {
      return;
    }
    const { regionId, revision } = call.shown;
    const floor = this.#floors.before(regionId, call.startNs);
    const taken = takenCount(call);
    const lowest = taken === 0 ? revision : revision - taken;
    if (floor !== undefined && lowest < floor.revision) {
      const name = "revision goes back";
      const what = taken === 0 ? `shows revision ${revision}` : `takes revision ${lowest + 1}`;
      const text = `of Region ${regionId} revision ${floor.revision} was shown before a call began that ${what}`;
      this.#report({ name, text, calls: [floor.call, call] });
    }
  }

  #collectEvents(): void {
    const { writes, ranges, reads } = this.#facts;
    for (const write of writes) {
      this.#report(this.#takers.take(write));
      this.#timeline.add(write.key, write);
    }
    for (const range of ranges) {
      this.#report(this.#takers.take({ ...range, key: range.from, value: undefined }));
    }
    for (const read of reads) {
      if (read.seen.kind === "row") {
        const { learned, problem } = this.#takers.learn(read, read.seen);
        this.#report(problem);
        if (learned !== undefined) {
          this.#timeline.add(learned.key, learned);
        }
      }
    }
    for (const range of ranges) {
      for (const key of this.#timeline.keysBetween(range.regionId, range.from, range.to)) {
        this.#timeline.add(key, { ...range, value: undefined });
      }
    }
  }

  #checkRead(read: ReadFact): void {
    const { regionId, revision, key, seen } = read;
    const event = this.#timeline.lastEvent(regionId, revision, key);
    const isThere = event?.value !== undefined;
    switch (seen.kind) {
      case "absent":
        this.#checkAbsent(read, event);
        return;
      case "present":
        this.#expect(isThere || this.#mayBePut(read, event, undefined), read, event);
        return;
      case "value":
        this.#expect(event?.value === seen.value || this.#mayBePut(read, event, seen.value), read, event);
        return;
      case "version":
      case "row":
        this.#expect(
          (isThere && event.revision === seen.version) ||
            (seen.kind === "version" && this.#mayBePutAt(read, event, seen.version)),
          read,
          event,
        );
    }
    // A put of unknown outcome may lie between: then another row was seen.
    if (isThere && seen.version === event.revision) {
      const life = this.#lifeOf(event);
      life.seen = life.seen === undefined || life.seen.revision < revision ? read : life.seen;
    }
  }

  #checkAbsent(read: ReadFact, event: KeyEvent | undefined): void {
    if (event?.value === undefined) {
      return;
    }
    const isDeleted = this.#gapsBetween(event, read).some((gap) => this.#unknown.mayDelete(gap, read.key));
    this.#expect(isDeleted, read, event);
    const life = this.#lifeOf(event);
    life.missed = life.missed === undefined || life.missed.revision > read.revision ? read : life.missed;
  }

  #checkPage(page: PageFact): void {
    const { call, regionId, revision } = page;
    for (const key of this.#timeline.keysBetween(regionId, page.from, page.to)) {
      if (!page.keys.has(key)) {
        const read: ReadFact = { call, regionId, revision, key, seen: { kind: "absent" } };
        this.#checkAbsent(read, this.#timeline.lastEvent(regionId, revision, key));
      }
    }
  }

  /** What was deleted by a write of unknown outcome stays deleted. */
  #checkLife(event: KeyEvent, { seen, missed }: Life): void {
    if (seen !== undefined && missed !== undefined && missed.revision <= seen.revision) {
      const text =
        `"${seen.key}" of revision ${event.revision} is missing in Region ${seen.regionId} at revision ` +
        `${missed.revision}, and there again at ${seen.revision}`;
      this.#report({ name: "row that comes back", text, calls: [event.call, missed.call, seen.call] });
    }
  }

  #mayBePut(read: ReadFact, event: KeyEvent | undefined, value: string | undefined): boolean {
    return this.#gapsBetween(event, read).some((gap) => this.#unknown.mayPut(gap, read.key, value));
  }

  #mayBePutAt({ regionId, revision, key }: ReadFact, event: KeyEvent | undefined, version: number): boolean {
    const isNewer = event === undefined || event.revision < version;
    const gaps = this.#takers
      .gapsBetween(regionId, key, version - 1, revision)
      .filter((gap) => gap.revision === version);
    return isNewer && gaps.some((gap) => this.#unknown.mayPut(gap, key, undefined));
  }

  #gapsBetween(event: KeyEvent | undefined, { regionId, revision, key }: ReadFact): Gap[] {
    return this.#takers.gapsBetween(regionId, key, event?.revision ?? 0, revision);
  }

  #expect(holds: boolean, read: ReadFact, event: KeyEvent | undefined): void {
    if (holds) {
      return;
    }
    const { regionId, revision, key } = read;
    const was =
      event?.value === undefined ? `no "${key}"` : `"${key}"="${event.value}" of revision ${event.revision}`;
    const text = `Region ${regionId} had ${was} at revision ${revision}, and that is not what was shown of "${key}"`;
    const calls = event === undefined ? [read.call] : [event.call, read.call];
    this.#report({ name: "answer that its Region never was", text, calls });
  }

  #lifeOf(event: KeyEvent): Life {
    const life = this.#lives.get(event) ?? {};
    this.#lives.set(event, life);
    return life;
  }

  #report(problem: Problem | undefined): void {
    if (problem !== undefined) {
      this.#problems.push(problem);
    }
  }
}

/**
 * A write that is tried again gets the answer that was recorded, from whichever Region has the key by then: it tells of
 * the one that did it.
 */
function atHome(call: Call, lineage: Lineage): Call {
  const { shown } = call;
  const key = recordedKeyOf(call);
  if (shown === undefined || key === undefined || !lineage.hasOrigins(shown.regionId)) {
    return call;
  }
  const look = { regionId: shown.regionId, revision: Number.MAX_SAFE_INTEGER, key };
  // Where nothing was taken, the Region that answers may just have begun at that revision.
  const isOpen = takenCount(call) === 0;
  const regionId = lineage.homeOf(look, isOpen ? shown.revision + HALF : shown.revision);
  const isHome = keysOf(call).every((each) => lineage.owned(regionId, shown.revision, each));
  // Several keys that only the Region had which was split later: that one answered, at the revision of the split.
  const stays = regionId === shown.regionId || (isOpen && !isHome);
  return stays ? call : { ...call, shown: { ...shown, regionId } };
}

/** A key of a call whose answer is recorded. */
function recordedKeyOf(call: Call): string | undefined {
  switch (call.op) {
    case "get":
    case "batchGet":
    case "scan":
      return undefined;
    case "deleteRange":
      return call.from;
    default:
      return keysOf(call)[0];
  }
}
