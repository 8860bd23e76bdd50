import { KiB, MiB } from "@flaredb/rdb-base";
import type { ColumnOptions, DatabaseOptions } from "../../src/rocks-binding.ts";
import { databaseOptions } from "../../src/rocks-options.ts";

/** One way to open the database that differs from production's in one thing. */
export interface Variant {
  readonly name: string;
  /** What is otherwise than in `rocks-options.ts`. */
  readonly change: (options: DatabaseOptions) => DatabaseOptions;
}

/** Options that the binding takes and production leaves at their defaults. */
interface FurtherOptions {
  readonly optimize?: "point-lookup";
  readonly pipelinedWrite?: boolean;
  readonly blockRestartInterval?: number;
  readonly filterPolicy?: string;
}

/** What production opens: everything is measured beside it. */
export const production: Variant = { name: "production", change: (options) => options };

export const variants: readonly Variant[] = [
  {
    name: "WAL compressed (the binding's default)",
    change: (options) => ({ ...options, walCompression: true }),
  },
  data("memtables of data: 8 MiB, not 32", { memtableMemoryBudget: 8 * MiB }),
  data("memtables of data: 128 MiB, not 32", { memtableMemoryBudget: 128 * MiB }),
  column("raft_log", "memtables of the log: 4 MiB, not 16", { memtableMemoryBudget: 4 * MiB }),
  column("raft_log", "memtables of the log: 64 MiB, not 16", { memtableMemoryBudget: 64 * MiB }),
  data("block cache: 8 MiB, not 64", { cacheSize: 8 * MiB }),
  data("block cache: 256 MiB, not 64", { cacheSize: 256 * MiB }),
  data("blocks of data: 4 KiB, not 16", { blockSize: 4 * KiB }),
  data("blocks of data: 32 KiB, not 16", { blockSize: 32 * KiB }),
  data("dictionaries for zstd", { compression: true }),
  data("no filter (production: Bloom, 10 bits a key)", {
    filterPolicy: "rocksdb.BuiltinBloomFilter:0:false",
  }),
  data("optimised for point lookups: Ribbon filter, hash index", { optimize: "point-lookup" }),
  {
    name: "pipelined writes",
    change: (options) => ({ ...options, pipelinedWrite: true }) as DatabaseOptions,
  },
  { name: "one background thread, not 2", change: (options) => ({ ...options, parallelism: 1 }) },
  { name: "four background threads, not 2", change: (options) => ({ ...options, parallelism: 4 }) },
];

/** @throws when there is no such variant */
export function optionsOf(name: string): DatabaseOptions {
  const variant = [production, ...variants].find((each) => each.name === name);
  if (variant === undefined) {
    throw new Error(`there is no variant called ${name}`);
  }
  return variant.change(databaseOptions({}));
}

function data(name: string, changed: Partial<ColumnOptions> & FurtherOptions): Variant {
  return column("data", name, changed);
}

function column(family: string, name: string, changed: Partial<ColumnOptions> & FurtherOptions): Variant {
  return {
    name,
    change: (options) => ({
      ...options,
      columns: {
        ...options.columns,
        [family]: { ...(options.columns[family] as ColumnOptions), ...changed },
      },
    }),
  };
}
