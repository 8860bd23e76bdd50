import { limits } from "@flaredb/rdb-base";
import { invalid } from "../input/bytes.ts";
import { parseInteger } from "../input/numbers.ts";

/** The limits of a cluster on one machine. */
const playgroundLimits = {
  /** Stores have ports of their own from 10 to 19 above the base port. */
  storeMaxCount: 10,
  /** The Stores' HTTP ports end 29 above the base port. */
  basePortMax: 65_535 - 29,
} as const;

/** The options of `rdb playground` as given. */
export interface RawPlaygroundOptions {
  readonly stores?: string;
  readonly data?: string;
  readonly tmp?: true;
  readonly basePort: string;
  readonly initialRegions?: string;
}

/** What is to be started. */
export interface PlaygroundOptions {
  /** Undefined: as many as the data folder has, or the default. */
  readonly storeCount: number | undefined;
  /** Undefined: a temporary folder, removed at the end. */
  readonly dataFolder: string | undefined;
  readonly basePort: number;
  /** The keys at which the Regions begin, beside the first, in order; undefined: as the data folder has them. */
  readonly splitKeys: readonly string[] | undefined;
}

/** @throws RdbError RDB_INVALID_ARGUMENT naming the option and its limit */
export function parsePlaygroundOptions(raw: RawPlaygroundOptions): PlaygroundOptions {
  if (raw.tmp === true && raw.data !== undefined) {
    throw invalid("tmp", "--tmp and --data exclude each other: --tmp keeps nothing");
  }
  return {
    storeCount:
      raw.stores === undefined
        ? undefined
        : parseInteger("--stores", raw.stores, 1, playgroundLimits.storeMaxCount),
    dataFolder: raw.tmp === true ? undefined : (raw.data ?? ".flaredb"),
    basePort: parseInteger("--base-port", raw.basePort, 1, playgroundLimits.basePortMax),
    splitKeys: raw.initialRegions === undefined ? undefined : parseSplitKeys(raw.initialRegions),
  };
}

function parseSplitKeys(text: string): string[] {
  const keys = text === "" ? [] : text.split(",");
  keys.forEach((key, at) => {
    const previous = keys[at - 1];
    if (key === "" || Buffer.byteLength(key) > limits.keyMaxBytes) {
      throw invalid(
        "initial-regions",
        `--initial-regions "${text}": a split key must have 1 to ${limits.keyMaxBytes} bytes`,
      );
    }
    if (previous !== undefined && Buffer.compare(Buffer.from(previous), Buffer.from(key)) >= 0) {
      throw invalid(
        "initial-regions",
        `--initial-regions "${text}": split keys must ascend, and "${key}" comes after "${previous}"`,
      );
    }
  });
  return keys;
}
