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
  readonly pdMembers?: string;
  readonly data?: string;
  readonly tmp?: true;
  readonly basePort: string;
  readonly initialRegions?: string;
  readonly bootstrapStores?: string;
  readonly regionSplitSize?: string;
  readonly maxStoreDownTime?: string;
}

/** What is to be started. */
export interface PlaygroundOptions {
  /** Undefined: as many as the data folder has, or the default. */
  readonly storeCount: number | undefined;
  /** Members of the placement driver; undefined: as many as the data folder has, or one. */
  readonly pdMemberCount: number | undefined;
  /** Undefined: a temporary folder, removed at the end. */
  readonly dataFolder: string | undefined;
  readonly basePort: number;
  /** The keys at which the Regions begin, beside the first, in order; undefined: as the data folder has them. */
  readonly splitKeys: readonly string[] | undefined;
  /** So many Stores get the initial Regions; undefined: all. */
  readonly bootstrapStoreCount: number | undefined;
  /** As the Store's and PD's own flags take them; undefined: their defaults. */
  readonly regionSplitSize: string | undefined;
  readonly maxStoreDownTime: string | undefined;
}

/** @throws RdbError RDB_INVALID_ARGUMENT naming the option and its limit */
export function parsePlaygroundOptions(raw: RawPlaygroundOptions): PlaygroundOptions {
  if (raw.tmp === true && raw.data !== undefined) {
    throw invalid("tmp", "--tmp and --data exclude each other: --tmp keeps nothing");
  }
  const storeCount = parseStoreCount("--stores", raw.stores);
  return {
    storeCount,
    pdMemberCount: parsePdMemberCount(raw.pdMembers),
    bootstrapStoreCount: parseStoreCount("--bootstrap-stores", raw.bootstrapStores, storeCount),
    regionSplitSize: parseAs("region-split-size", raw.regionSplitSize, /^\d{1,9}(KiB|MiB|GiB)$/, "32MiB"),
    maxStoreDownTime: parseAs("max-store-down-time", raw.maxStoreDownTime, /^\d{1,9}(ms|s|m|h)$/, "10s"),
    dataFolder: raw.tmp === true ? undefined : (raw.data ?? ".flaredb"),
    basePort: parseInteger("--base-port", raw.basePort, 1, playgroundLimits.basePortMax),
    splitKeys: raw.initialRegions === undefined ? undefined : parseSplitKeys(raw.initialRegions),
  };
}

function parseStoreCount(
  flag: string,
  text: string | undefined,
  atMost: number = playgroundLimits.storeMaxCount,
): number | undefined {
  return text === undefined ? undefined : parseInteger(flag, text, 1, atMost);
}

function parsePdMemberCount(text: string | undefined): number | undefined {
  if (text !== undefined && !["1", "3", "5"].includes(text)) {
    throw invalid("pd-members", `--pd-members "${text}" must be 1, 3 or 5`);
  }
  return text === undefined ? undefined : Number(text);
}

// The processes would refuse it too, but only in their logs.
function parseAs(
  flag: string,
  text: string | undefined,
  pattern: RegExp,
  example: string,
): string | undefined {
  if (text !== undefined && !pattern.test(text)) {
    throw invalid(flag, `--${flag} "${text}" must be a number with its unit, as ${example}`);
  }
  return text;
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
