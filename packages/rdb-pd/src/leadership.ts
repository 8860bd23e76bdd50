import { type Clock, type Logger, type Random, RdbError } from "@flaredb/rdb-base";
import { ClusterState } from "./cluster/cluster-state.ts";
import type { VersionedProcess } from "./cluster/next-cluster-version.ts";
import type { ClusterConfig } from "./command/command.ts";
import type { PdMetrics } from "./metrics/pd-metrics.ts";
import { closedError, notLeaderError } from "./member/member-errors.ts";
import type { PdRaft } from "./member/pd-raft.ts";
import type { PdStorage } from "./member/pd-storage.ts";
import { randomId } from "./member/random-id.ts";
import { PlacementDriver } from "./placement-driver.ts";
import type { PlacementConfig } from "./placement/placement-config.ts";
import { PlacementSettings } from "./placement/placement-settings.ts";

const RETRY_MS = 200;

export interface LeadershipOptions {
  readonly log: PdRaft;
  readonly storage: Pick<PdStorage, "state">;
  readonly clusterConfig: ClusterConfig;
  readonly placement: PlacementConfig;
  /** PD's own group, this member too. */
  readonly members: () => readonly VersionedProcess[];
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Default: nobody looks. */
  readonly metrics?: PdMetrics | undefined;
  /** A placement driver serves, until `onEnded`. */
  readonly onServing: (driver: PlacementDriver) => void;
  /** It serves no more. */
  readonly onEnded: () => void;
}

/**
 * What this member does as long as it leads PD's group: a placement driver, made anew each time, because what Stores
 * report is only in memory. It serves once the log holds what it needs, and ends with the leadership.
 */
export class Leadership {
  readonly #options: LeadershipOptions;
  #driver: PlacementDriver | undefined;
  /** Counts beginnings and ends: what one of them set off does not outlive it. */
  #turn = 0;
  #isClosed = false;

  constructor(options: LeadershipOptions) {
    this.#options = options;
  }

  /** This member leads. */
  begin(): void {
    void this.#begin();
  }

  /** It does not any more. */
  end(): void {
    this.#turn += 1;
    if (this.#driver !== undefined) {
      this.#driver.close();
      this.#driver = undefined;
      this.#options.onEnded();
    }
    // Nobody hears of routes any more; the next placement driver begins from the state itself.
    this.#options.storage.state.watchRoutes(() => {});
  }

  /** @throws RdbError see `refuse` */
  get driver(): PlacementDriver {
    return this.#driver ?? this.refuse();
  }

  /** @throws RdbError RDB_NOT_LEADER while this member does not lead, or is only about to; RDB_CLOSED */
  refuse(): never {
    const { log, storage } = this.#options;
    throw this.#isClosed ? closedError() : notLeaderError(log.memberId, log.leaderMemberId, storage.state);
  }

  /** Whether `driver` is there. */
  get isServing(): boolean {
    return this.#driver !== undefined;
  }

  close(): void {
    this.#isClosed = true;
    this.end();
  }

  async #begin(): Promise<void> {
    const turn = ++this.#turn;
    let driver: PlacementDriver | undefined;
    try {
      await this.#configure();
      if (turn !== this.#turn) {
        return;
      }
      driver = this.#newDriver();
      await driver.start();
    } catch (error) {
      driver?.close();
      if (!(error instanceof RdbError)) {
        throw error;
      }
      this.#failed(turn, error);
      return;
    }
    if (turn !== this.#turn) {
      driver.close();
      return;
    }
    this.#driver = driver;
    this.#options.onServing(driver);
  }

  #newDriver(): PlacementDriver {
    const { log, storage, placement, members, clock, random, logger, metrics } = this.#options;
    const { state } = storage;
    const settings = new PlacementSettings(placement, state);
    const downAfterMs = (): number => settings.current.maxStoreDownTimeMs;
    const cluster = new ClusterState(state, clock.monotonicMs(), downAfterMs);
    return new PlacementDriver({ cluster, log, settings, members, clock, random, logger, metrics });
  }

  /** The log takes nothing while leadership is being handed over, which may come to nothing. */
  #failed(turn: number, error: RdbError): void {
    const { clock, logger } = this.#options;
    if (turn !== this.#turn) {
      return;
    }
    logger.warn({ reason: error.message }, "leads and cannot serve yet: trying again");
    clock.setTimer(RETRY_MS, () => {
      if (turn === this.#turn) {
        void this.#begin();
      }
    });
  }

  /** Draws the cluster's id at its first start, and takes over what the configuration says of its bootstrap. */
  async #configure(): Promise<void> {
    const { log, storage, clusterConfig, random, logger } = this.#options;
    const { cluster } = storage.state;
    if (cluster.clusterId === 0) {
      const { clusterId } = await log.propose({ kind: "InitializeCluster", clusterId: randomId(random) });
      logger.info({ cluster: clusterId }, "new cluster");
    }
    if (!storage.state.cluster.bootstrapped) {
      await log.propose({ kind: "ConfigureCluster", config: clusterConfig });
    }
  }
}
