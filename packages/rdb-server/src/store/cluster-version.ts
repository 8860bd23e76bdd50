import { type Logger, RdbError, clusterVersions } from "@flaredb/rdb-base";
import { type LogCommandCase, logCommandVersions } from "@flaredb/rdb-proto";
import { type Engine, readClusterVersion, writeClusterVersion } from "@flaredb/rdb-storage";

/** What Stores of the cluster can rely on in each other (DESIGN §5). */
export interface ClusterVersionView {
  /** The cluster's, as far as this Store knows: at least that. Never falls. */
  readonly current: number;
  /** The newest that this program knows. */
  readonly newest: number;
}

export interface ClusterVersionOptions {
  readonly engine: Engine;
  readonly logger: Logger;
  /** The newest that this program knows; less than it does where a run plays an older one. */
  readonly newest?: number | undefined;
  /** Keeps older programs from the data, durably, before it may hold what they do not know. */
  readonly noteVersion: (version: number) => Promise<void>;
  /** The cluster left this program behind. */
  readonly onTooOld: (error: RdbError) => void;
}

/**
 * The cluster version as PD says it, and as the data folder remembers it, for a start without PD. Newer entries are
 * proposed only once it is durable here that older programs are not to open this folder.
 */
export class ClusterVersion implements ClusterVersionView {
  readonly newest: number;
  readonly #options: ClusterVersionOptions;
  #current: number;
  /** The last change on its way to the disk. */
  #writing: Promise<void> = Promise.resolve();
  #wanted: number;

  /** @throws RdbError RDB_VERSION_TOO_OLD when the data is of a cluster that this program is too old for */
  constructor(options: ClusterVersionOptions) {
    this.#options = options;
    this.newest = options.newest ?? clusterVersions.newest;
    this.#current = readClusterVersion(options.engine) ?? clusterVersions.oldest;
    this.#wanted = this.#current;
    if (this.#current > this.newest) {
      throw tooOld(this.#current, this.newest);
    }
  }

  get current(): number {
    return this.#current;
  }

  /** PD says it; 0 or an older one says nothing. In force once it is durable. */
  learn(version: number): void {
    if (version <= this.#wanted) {
      return;
    }
    this.#wanted = version;
    if (version > this.newest) {
      this.#options.onTooOld(tooOld(version, this.newest));
      return;
    }
    this.#writing = this.#writing.then(() => this.#write(version));
  }

  /** Resolves when what was learned is in force, or its writing has failed. */
  settled(): Promise<void> {
    return this.#writing;
  }

  /** Never rejects: the next heartbeat's answer says it again. */
  async #write(version: number): Promise<void> {
    const { engine, logger, noteVersion } = this.#options;
    try {
      await noteVersion(version);
      await writeClusterVersion(engine, version);
      this.#current = Math.max(this.#current, version);
      logger.info({ version }, "the cluster version is raised");
    } catch (error) {
      this.#wanted = this.#current;
      logger.warn({ version, reason: RdbError.from(error).message }, "the cluster version cannot be noted");
    }
  }
}

/** Why the entry is not proposed yet: some peer's program may not know it. */
export function entryRefusal(entry: LogCommandCase, { current }: ClusterVersionView): string | undefined {
  const needed = logCommandVersions[entry];
  return needed <= current
    ? undefined
    : `${entry} needs cluster version ${needed}, this Store knows of ${current}: not every Store may understand it`;
}

/** Whether this program knows the entry; a peer that meets another one halts. */
export function isKnownEntry(entry: LogCommandCase, { newest }: ClusterVersionView): boolean {
  return logCommandVersions[entry] <= newest;
}

function tooOld(version: number, known: number): RdbError {
  return new RdbError(
    "RDB_VERSION_TOO_OLD",
    `the cluster has version ${version}, this program knows up to ${known}: start this Store with the program that the others run`,
    { details: { clusterVersion: version, known } },
  );
}
