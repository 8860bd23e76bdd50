import type { Clock, RegionId } from "@flaredb/rdb-base";
import { adminRefusal } from "../peer/admin/admin-refusal.ts";
import type { Peer } from "../peer/peer.ts";
import type { AdminOutcome, AdminTarget } from "./admin-command.ts";
import { type ClusterVersionView, entryRefusal } from "./cluster-version.ts";

export interface ReplicaCheckerOptions {
  readonly clock: Clock;
  readonly peer: (regionId: RegionId) => Peer | undefined;
  readonly clusterVersion: ClusterVersionView;
}

/** Checks that wait for their turn, at most; more are refused. */
const WAITING_MAX_COUNT = 256;

interface Waiting {
  readonly target: AdminTarget;
  readonly resolve: (outcome: AdminOutcome) => void;
}

/** Has Regions that are led from this Store checked, one after the other: each check reads every row of its peers. */
export class ReplicaChecker {
  readonly #options: ReplicaCheckerOptions;
  readonly #waiting: Waiting[] = [];
  #current: RegionId | undefined;

  constructor(options: ReplicaCheckerOptions) {
    this.#options = options;
  }

  /** Resolves when the check is in the Region's log, or will not be made. */
  check(target: AdminTarget): Promise<AdminOutcome> {
    if (this.#waiting.length >= WAITING_MAX_COUNT) {
      return Promise.resolve(adminRefusal("Busy", `${WAITING_MAX_COUNT} Regions wait to be checked`));
    }
    const { promise, resolve } = Promise.withResolvers<AdminOutcome>();
    this.#waiting.push({ target, resolve });
    this.tick();
    return promise;
  }

  /** Begins the next check when the one before has ended. */
  tick(): void {
    while (this.#waiting.length > 0 && !this.#isBusy()) {
      const next = this.#waiting.shift();
      next?.resolve(this.#begin(next.target));
    }
  }

  #isBusy(): boolean {
    const peer = this.#current === undefined ? undefined : this.#options.peer(this.#current);
    return peer?.check.isUnderWay(this.#options.clock.monotonicMs()) ?? false;
  }

  #begin(target: AdminTarget): AdminOutcome {
    const { clock, peer: find, clusterVersion } = this.#options;
    const peer = find(target.regionId);
    if (peer === undefined) {
      return adminRefusal("NotLeader", `Region ${target.regionId} is not on this Store`);
    }
    const tooNew = entryRefusal("computeHash", clusterVersion);
    if (tooNew !== undefined) {
      return adminRefusal("ClusterVersion", tooNew);
    }
    const refusal = peer.changes.refusal(target);
    if (refusal !== undefined) {
      return refusal;
    }
    if (!peer.check.request(clock.monotonicMs())) {
      return adminRefusal("Busy", `too much waits in the log of Region ${target.regionId}`);
    }
    this.#current = target.regionId;
    return { ok: true };
  }
}
