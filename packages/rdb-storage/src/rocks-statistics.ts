import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** What RocksDB says of the whole database. Of single column families the binding says nothing. Sizes in bytes. */
export interface RocksStatistics {
  /** The write-ahead log. */
  readonly walBytes: number;
  readonly tableBytes: number;
  readonly tableFileCount: number;
  readonly runningFlushes: number;
  readonly runningCompactions: number;
  /** Flushes and compactions that failed, ever. */
  readonly backgroundErrors: number;
  readonly isWriteStopped: boolean;
  /** To so many bytes a second writers are slowed down; 0: they are not. */
  readonly delayedWriteBytes: number;
}

/**
 * Looks at the database and its files.
 *
 * @param path of the database
 * @param property answers for RocksDB; empty for what it does not know
 */
export async function readRocksStatistics(
  path: string,
  property: (name: string) => string,
): Promise<RocksStatistics> {
  const files = await filesOf(path);
  const tables = files.filter(({ name }) => name.endsWith(".sst"));
  const number = (name: string): number => Number(property(`rocksdb.${name}`)) || 0;
  return {
    walBytes: sizeOf(files.filter(({ name }) => name.endsWith(".log"))),
    tableBytes: sizeOf(tables),
    tableFileCount: tables.length,
    runningFlushes: number("num-running-flushes"),
    runningCompactions: number("num-running-compactions"),
    backgroundErrors: number("background-errors"),
    isWriteStopped: number("is-write-stopped") !== 0,
    delayedWriteBytes: number("actual-delayed-write-rate"),
  };
}

interface DatabaseFile {
  readonly name: string;
  readonly sizeBytes: number;
}

async function filesOf(path: string): Promise<DatabaseFile[]> {
  const names = await readdir(path);
  return Promise.all(
    names.map(async (name) => {
      // One that is gone since: compactions remove files all of the time.
      const found = await stat(join(path, name)).catch(() => undefined);
      return { name, sizeBytes: found?.size ?? 0 };
    }),
  );
}

function sizeOf(files: readonly DatabaseFile[]): number {
  return files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
