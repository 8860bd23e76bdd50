import {
  type Clock,
  type Logger,
  MiB,
  RdbError,
  type Region,
  type RegionId,
  epochsEqual,
  formatKey,
  limits,
  peerId,
  regionId,
} from "@flaredb/rdb-base";
import type { Engine } from "@flaredb/rdb-storage";
import { type AdminRefusal, adminRefusal } from "../peer/admin/admin-refusal.ts";
import { type NewRegionIds, SPLIT_MAX_COUNT, splitBody, splitKeysProblem } from "../peer/admin/split-plan.ts";
import type { Peer } from "../peer/peer.ts";
import type { AdminOutcome, AdminTarget, SplitRegion } from "./admin-command.ts";
import { type WalkedRange, evenSplitKeys, walkRange } from "./split-keys.ts";

/** What splits are made with. */
export interface RegionSplitterOptions {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The running peer of a Region here. */
  peer(regionId: RegionId): Peer | undefined;
  /** So many new ids of PD, one after the other. @returns the first; rejects while PD does not answer */
  allocateIds(count: number): Promise<number>;
}

/** After this long a proposed split that did not show is taken for lost. */
const APPLY_TIMEOUT_MS = 5_000;

/** Most parts that a Region is cut into because of its size; larger ones are cut again. */
const SIZE_PARTS_MAX_COUNT = 16;

/**
 * A split copies what the Region remembers of clients' writes for each new Region, in one part that every peer makes:
 * not more than this. One cut of a Region that remembers as much as it may by default is below it.
 */
const SESSIONS_COPIED_MAX_BYTES = 128 * MiB;

/** A split on its way. */
interface Attempt {
  readonly version: number;
  /** Set once it is proposed. */
  untilMs: number;
}

/**
 * Makes the Regions that are led from here propose their splits: finds the keys, asks PD for ids, and lets one attempt
 * for a Region be under way at a time. What counts is the entry that is committed: a second one, of this Store or of a
 * later leader, finds another epoch and does nothing (SPEC S3).
 */
export class RegionSplitter {
  readonly #options: RegionSplitterOptions;
  readonly #attempts = new Map<RegionId, Attempt>();

  constructor(options: RegionSplitterOptions) {
    this.#options = options;
  }

  /** Whether a split of the Region is being made. */
  isUnderWay(region: Region): boolean {
    const attempt = this.#attempts.get(region.id);
    if (attempt === undefined) {
      return false;
    }
    const isOver =
      attempt.version !== region.epoch.version || this.#options.clock.monotonicMs() >= attempt.untilMs;
    if (isOver) {
      this.#attempts.delete(region.id);
    }
    return !isOver;
  }

  /** Never rejects. Resolves when the split is in the log, or says why it is not. */
  split(command: SplitRegion): Promise<AdminOutcome> {
    return this.#once(command, (region) => this.#namedKeys(command, region));
  }

  /**
   * Splits a Region that seems to have at least `splitSizeBytes` into parts of half of that. Its rows are counted on the
   * way: when it is smaller nothing happens, and that is not a failure. Never rejects.
   */
  splitBySize(peer: Peer, splitSizeBytes: number): Promise<AdminOutcome> {
    const { region } = peer;
    return this.#once({ regionId: region.id, epoch: region.epoch }, async () => {
      const finish = peer.size.beginCount();
      const walked = await this.#walk(region);
      if (walked === undefined) {
        return changed(region);
      }
      finish(walked);
      if (walked.bytes < splitSizeBytes) {
        return [];
      }
      const partCount = Math.min(
        Math.floor(walked.bytes / (splitSizeBytes / 2)),
        SIZE_PARTS_MAX_COUNT,
        1 + copiesMaxCount(peer),
      );
      const keys = evenSplitKeys(walked, Math.max(2, partCount));
      return keys.length > 0 ? keys : nothingToSplit(region, walked.keys);
    });
  }

  /** One attempt for a Region at a time. */
  async #once(
    target: AdminTarget,
    findKeys: (region: Region) => Promise<readonly Uint8Array[] | AdminRefusal>,
  ): Promise<AdminOutcome> {
    const region = this.#options.peer(target.regionId)?.region;
    const refusal = this.#refusal(target);
    if (refusal !== undefined || region === undefined) {
      return refusal ?? notHere(target.regionId);
    }
    if (this.isUnderWay(region)) {
      return adminRefusal("Busy", `a split of Region ${region.id} is under way`);
    }
    const attempt: Attempt = { version: region.epoch.version, untilMs: Number.POSITIVE_INFINITY };
    this.#attempts.set(region.id, attempt);
    const keys = await findKeys(region).catch((error: unknown) => cannotNow(region, error));
    const outcome =
      "ok" in keys || keys.length === 0
        ? keys
        : await this.#propose(target, region, keys).catch((error: unknown) => cannotNow(region, error));
    if ("ok" in outcome && outcome.ok) {
      attempt.untilMs = this.#options.clock.monotonicMs() + APPLY_TIMEOUT_MS;
    } else if (this.#attempts.get(region.id) === attempt) {
      this.#attempts.delete(region.id);
    }
    return "ok" in outcome ? outcome : { ok: true };
  }

  async #propose(target: AdminTarget, region: Region, keys: readonly Uint8Array[]): Promise<AdminOutcome> {
    const { logger } = this.#options;
    const firstId = await this.#options.allocateIds(keys.length * (1 + region.peers.length));
    // Time has passed: what was true may be so no more.
    const refusal = this.#refusal(target);
    const peer = this.#options.peer(target.regionId);
    if (refusal !== undefined || peer === undefined) {
      return refusal ?? notHere(target.regionId);
    }
    if (keys.length > copiesMaxCount(peer)) {
      return tooMuchRemembered(peer, keys.length);
    }
    if (!peer.changes.propose(splitBody(keys, idsFrom(firstId, keys.length, region.peers.length)))) {
      return adminRefusal("Busy", `the leader of Region ${region.id} takes no proposals now`);
    }
    logger.info(
      { region: region.id, keys: keys.map(formatKey), firstId },
      "a split of the Region is proposed",
    );
    return { ok: true };
  }

  #refusal(command: AdminTarget): AdminRefusal | undefined {
    const peer = this.#options.peer(command.regionId);
    if (peer === undefined) {
      return notHere(command.regionId);
    }
    const refusal = peer.changes.refusal(command);
    if (refusal !== undefined) {
      return refusal;
    }
    const isJoint = peer.region.peers.some(
      ({ role }) => role === "IncomingVoter" || role === "DemotingVoter",
    );
    return isJoint ? adminRefusal("Busy", `Region ${command.regionId} is changing its peers`) : undefined;
  }

  /** Those of the command, checked; or found, off the loop. */
  async #namedKeys(
    { keys, partCount }: SplitRegion,
    region: Region,
  ): Promise<readonly Uint8Array[] | AdminRefusal> {
    if (keys.length > 0) {
      const problem = keyTooLong(keys) ?? splitKeysProblem(region, keys);
      return problem === undefined ? keys : adminRefusal("Invalid", problem);
    }
    if (partCount < 2 || partCount > SPLIT_MAX_COUNT + 1) {
      return adminRefusal(
        "Invalid",
        `a split into ${partCount} parts must be into 2 to ${SPLIT_MAX_COUNT + 1}`,
      );
    }
    const walked = await this.#walk(region);
    if (walked === undefined) {
      return changed(region);
    }
    const found = evenSplitKeys(walked, partCount);
    return found.length > 0 ? found : nothingToSplit(region, walked.keys);
  }

  #walk(region: Region): Promise<WalkedRange | undefined> {
    return walkRange(this.#options.engine, region, () => this.#hasChanged(region));
  }

  #hasChanged({ id, epoch }: Region): boolean {
    const now = this.#options.peer(id)?.region;
    return now === undefined || !epochsEqual(now.epoch, epoch);
  }
}

/** How often what the Region remembers of clients' writes may be copied. */
function copiesMaxCount({ merge }: Peer): number {
  return Math.floor(SESSIONS_COPIED_MAX_BYTES / Math.max(1, merge.sessionBytes));
}

function tooMuchRemembered({ regionId: id, merge }: Peer, keyCount: number): AdminRefusal {
  return adminRefusal(
    "Busy",
    `${keyCount} copies of ${merge.sessionBytes} bytes of clients' last writes to Region ${id} are above ${SESSIONS_COPIED_MAX_BYTES}: it can be cut into fewer parts, or later`,
  );
}

function changed({ id }: Region): AdminRefusal {
  return adminRefusal("EpochNotMatch", `Region ${id} changed while its keys were looked at`);
}

function nothingToSplit({ id }: Region, keyCount: number): AdminRefusal {
  return adminRefusal("Invalid", `Region ${id} has ${keyCount} keys: there is nothing to split`);
}

/** Nothing was proposed: the database or PD failed it. */
function cannotNow({ id }: Region, error: unknown): AdminRefusal {
  return adminRefusal("Busy", `Region ${id} cannot be split now: ${RdbError.from(error).message}`);
}

function notHere(id: RegionId): AdminRefusal {
  return adminRefusal("NotLeader", `Region ${id} has no peer here`);
}

function keyTooLong(keys: readonly Uint8Array[]): string | undefined {
  const long = keys.find((key) => key.length > limits.keyMaxBytes);
  return long === undefined
    ? undefined
    : `a split key of ${long.length} bytes is longer than keyMaxBytes ${limits.keyMaxBytes}`;
}

/** PD's ids, dealt out: for each new Region its own, then those of its peers. */
function idsFrom(firstId: number, regionCount: number, peerCount: number): NewRegionIds[] {
  return Array.from({ length: regionCount }, (_, place) => {
    const first = firstId + place * (1 + peerCount);
    return {
      regionId: regionId(first),
      peerIds: Array.from({ length: peerCount }, (__, at) => peerId(first + 1 + at)),
    };
  });
}
