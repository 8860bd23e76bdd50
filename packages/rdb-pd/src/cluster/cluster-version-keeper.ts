import { type Logger, RdbError } from "@flaredb/rdb-base";
import type { CommandLog } from "../member/command-log.ts";
import type { ClusterState } from "./cluster-state.ts";
import {
  type NextClusterVersion,
  type VersionedProcess,
  nextClusterVersion,
} from "./next-cluster-version.ts";

export interface ClusterVersionKeeperOptions {
  readonly cluster: ClusterState;
  readonly log: Pick<CommandLog, "propose">;
  /** All members of PD, this one too. */
  readonly members: () => readonly VersionedProcess[];
  readonly logger: Logger;
  /** Stores are to be told. Must not throw. */
  readonly raised: () => void;
}

/** Raises the cluster version once every Store and every member of PD knows a newer one (DESIGN §5). */
export class ClusterVersionKeeper {
  readonly #options: ClusterVersionKeeperOptions;
  #isRaising = false;
  #lastFailure: string | undefined;

  constructor(options: ClusterVersionKeeperOptions) {
    this.#options = options;
  }

  /** What it could be now. */
  get next(): NextClusterVersion {
    const { cluster, members } = this.#options;
    const stores = [...cluster.durable.stores.values()].filter(({ isTombstone }) => !isTombstone);
    return nextClusterVersion(cluster.durable.clusterVersion, [
      ...stores.map((store) => ({
        name: `Store ${store.id}`,
        clusterVersion: cluster.clusterVersionOf(store),
      })),
      ...members(),
    ]);
  }

  /** Never rejects: what fails is tried again when it is asked next. */
  async raise(): Promise<void> {
    const { cluster, log, logger, raised } = this.#options;
    const { version } = this.next;
    if (this.#isRaising || version <= cluster.durable.clusterVersion) {
      return;
    }
    this.#isRaising = true;
    try {
      const stores = [...cluster.durable.stores.values()].filter(({ isTombstone }) => !isTombstone);
      const processes = stores.map(({ id, bootId }) => ({ storeId: id, bootId }));
      await log.propose({ kind: "SetClusterVersion", version, stores: processes });
      logger.info({ version }, "the cluster version is raised: all Stores and members of PD know it");
      raised();
    } catch (error) {
      const { message } = RdbError.from(error);
      if (message !== this.#lastFailure) {
        logger.info({ version, reason: message }, "the cluster version is not raised yet");
        this.#lastFailure = message;
      }
    } finally {
      this.#isRaising = false;
    }
  }
}
