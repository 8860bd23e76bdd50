import { clusterVersions } from "@flaredb/rdb-base";

/** A Store or a member of PD, with the newest cluster version that its program knows. */
export interface VersionedProcess {
  /** For people, such as `Store 2` or `PD member pd-1`. */
  readonly name: string;
  /** Undefined while it has not said. */
  readonly clusterVersion: number | undefined;
}

/** What the cluster version may be, and for whom the newest waits. */
export interface NextClusterVersion {
  readonly version: number;
  /** In sentences; none when `version` is the newest that this program knows. */
  readonly waitsFor: readonly string[];
}

/**
 * The lowest version of all, which must have said theirs: of who has not, nothing is assumed. At most what this program
 * knows, and never below `current`.
 */
export function nextClusterVersion(
  current: number,
  processes: readonly VersionedProcess[],
): NextClusterVersion {
  const known = processes.map(({ clusterVersion }) => clusterVersion ?? current);
  const version = Math.max(current, Math.min(clusterVersions.newest, ...known));
  const older = processes.filter(({ clusterVersion }) => (clusterVersion ?? 0) < clusterVersions.newest);
  return {
    version,
    waitsFor: version >= clusterVersions.newest ? [] : older.map(describe),
  };
}

function describe({ name, clusterVersion }: VersionedProcess): string {
  return clusterVersion === undefined
    ? `${name} has not said yet what its program knows`
    : `the program of ${name} knows version ${clusterVersion}`;
}
