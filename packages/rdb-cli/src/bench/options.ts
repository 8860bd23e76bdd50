import { limits } from "@flaredb/rdb-base";
import { invalid } from "../input/bytes.ts";
import { parseInteger, parseNumber } from "../input/numbers.ts";
import { KEY_PREFIX } from "./key-space.ts";

/** What can be measured. */
export type BenchKind = "put" | "get" | "mixed" | "scan" | "batch-put" | "batch-get";

/** What `rdb bench` was asked for, checked. Plain data: it goes to the processes that make the load. */
export interface BenchOptions {
  readonly kind: BenchKind;
  /** Most calls that are open at a time, of all processes together. */
  readonly clients: number;
  /** How long is measured; undefined: until `total`. */
  readonly seconds: number | undefined;
  /** How many calls are measured; undefined: as many as `seconds` allows. */
  readonly total: number | undefined;
  /** Calls that are due each second, whatever the answers do (open loop); undefined: each answer begins a call. */
  readonly rate: number | undefined;
  /** Before measuring. */
  readonly warmUpSeconds: number;
  /** Processes that make the load. */
  readonly processes: number;
  /** Which of them this one is, from 0: of an open loop it makes every so-many-th call, beginning there. */
  readonly place: number;
  /** Write every key before anything else. */
  readonly fill: boolean;
  readonly keySizeBytes: number;
  readonly valueSizeBytes: number;
  /** How many different keys there are. */
  readonly keys: number;
  /** The exponent of a Zipf distribution; undefined: every key is as likely. */
  readonly zipf: number | undefined;
  /** For `mixed`: the share of gets, 0 to 1. */
  readonly readShare: number;
  /** For `scan`: rows of one call. */
  readonly limit: number;
  /** For `scan`: rows of one request. */
  readonly pageSize: number;
  /** For `batch-put` and `batch-get`: keys of one call. */
  readonly batchSize: number;
}

/** As commander hands them over: text, where it was given. */
export interface RawBenchOptions {
  readonly clients?: string;
  readonly seconds?: string;
  readonly total?: string;
  readonly rate?: string;
  readonly warmUp?: string;
  readonly processes?: string;
  readonly fill?: true;
  readonly keySize?: string;
  readonly valueSize?: string;
  readonly keys?: string;
  readonly zipf?: string;
  readonly readShare?: string;
  readonly limit?: string;
  readonly pageSize?: string;
  readonly batchSize?: string;
}

/** What is taken where nothing is said; the help names them. */
export const benchDefaults = {
  clients: 64,
  seconds: 10,
  warmUpSeconds: 1,
  processes: 1,
  keySizeBytes: 16,
  valueSizeBytes: 256,
  keys: 100_000,
  readShare: 0.95,
  limit: 1_000,
  pageSize: 1_000,
  batchSize: 100,
} as const;

const CLIENTS_MAX = 100_000;
const PROCESSES_MAX = 64;
const SECONDS_MAX = 86_400;
const WARM_UP_SECONDS_MAX = 3_600;
const TOTAL_MAX = 1e12;
const RATE_MAX = 10_000_000;
const KEYS_MAX = 1e12;
const ZIPF_MAX = 10;
const SCAN_LIMIT_MAX = 1_000_000;

/** @throws RdbError RDB_INVALID_ARGUMENT naming the option, its value and what it must be */
export function parseBenchOptions(kind: BenchKind, raw: RawBenchOptions): BenchOptions {
  const count = (field: string, text: string | undefined, fallback: number, most: number, least = 1) =>
    text === undefined ? fallback : parseInteger(field, text, least, most);
  if (raw.seconds !== undefined && raw.total !== undefined) {
    throw invalid("total", "--total and --seconds cannot be combined: each says when the measurement ends");
  }
  const optional = (field: string, text: string | undefined, least: number, most: number) =>
    text === undefined ? undefined : parseNumber(field, text, least, most);
  const options: BenchOptions = {
    kind,
    clients: count("clients", raw.clients, benchDefaults.clients, CLIENTS_MAX),
    seconds:
      raw.total === undefined
        ? (optional("seconds", raw.seconds, 0.1, SECONDS_MAX) ?? benchDefaults.seconds)
        : undefined,
    total: raw.total === undefined ? undefined : parseInteger("total", raw.total, 1, TOTAL_MAX),
    rate: optional("rate", raw.rate, 0.1, RATE_MAX),
    warmUpSeconds: optional("warm-up", raw.warmUp, 0, WARM_UP_SECONDS_MAX) ?? benchDefaults.warmUpSeconds,
    processes: count("processes", raw.processes, benchDefaults.processes, PROCESSES_MAX),
    place: 0,
    fill: raw.fill === true,
    keySizeBytes: count("key-size", raw.keySize, benchDefaults.keySizeBytes, limits.keyMaxBytes),
    valueSizeBytes: count("value-size", raw.valueSize, benchDefaults.valueSizeBytes, limits.valueMaxBytes, 0),
    keys: count("keys", raw.keys, benchDefaults.keys, KEYS_MAX),
    zipf: optional("zipf", raw.zipf, 0.01, ZIPF_MAX),
    readShare: optional("read-share", raw.readShare, 0, 1) ?? benchDefaults.readShare,
    limit: count("limit", raw.limit, benchDefaults.limit, SCAN_LIMIT_MAX),
    pageSize: count("page-size", raw.pageSize, benchDefaults.pageSize, limits.scanPageMaxCount),
    batchSize: count("batch-size", raw.batchSize, benchDefaults.batchSize, limits.batchMaxCount),
  };
  checkTogether(options);
  return options;
}

function checkTogether(options: BenchOptions): void {
  const { clients, processes, total, keySizeBytes, keys, valueSizeBytes, batchSize, kind } = options;
  if (processes > clients) {
    throw invalid("processes", `processes ${processes} must be at most clients ${clients}: each makes calls`);
  }
  if (total !== undefined && processes > total) {
    throw invalid("processes", `processes ${processes} must be at most total ${total}: each makes calls`);
  }
  const neededBytes = KEY_PREFIX.length + String(keys - 1).length;
  if (keySizeBytes < neededBytes) {
    throw invalid(
      "key-size",
      `key-size ${keySizeBytes} is too short for ${keys} keys: it must be at least ${neededBytes}`,
    );
  }
  const batchBytes = batchSize * (keySizeBytes + valueSizeBytes);
  if (kind === "batch-put" && batchBytes > limits.batchMaxBytes) {
    throw invalid(
      "batch-size",
      `batch-size ${batchSize} makes batches of ${batchBytes} bytes: the limit is ${limits.batchMaxBytes}`,
    );
  }
  if (kind.startsWith("batch-") && batchSize > keys) {
    throw invalid("batch-size", `batch-size ${batchSize} must be at most keys ${keys}`);
  }
}
