import { join } from "node:path";
import type { ProcessKind } from "../run-process.ts";

/** One process of the playground. */
export interface MemberPlan {
  /** `pd`, `store-1`, … */
  readonly name: string;
  readonly kind: ProcessKind;
  readonly host: string;
  readonly port: number;
  readonly httpPort: number;
  readonly folder: string;
  readonly logFile: string;
  /** Its command line. */
  readonly args: readonly string[];
}

/** Everything that runs, and where. */
export interface ClusterPlan {
  readonly dataFolder: string;
  readonly logFolder: string;
  readonly pd: MemberPlan;
  readonly stores: readonly MemberPlan[];
}

export interface PlanInput {
  readonly dataFolder: string;
  readonly storeCount: number;
  readonly basePort: number;
  readonly splitKeys: readonly string[];
  /** So many Stores get the initial Regions. Default: all. */
  readonly bootstrapStoreCount?: number | undefined;
  /** Passed on to the Stores and to PD. */
  readonly regionSplitSize?: string | undefined;
  readonly maxStoreDownTime?: string | undefined;
}

const HOST = "127.0.0.1";

/** Ports and folders of a cluster: PD at the base port and the next, Stores from 10 and 20 above it. */
export function planCluster(input: PlanInput): ClusterPlan {
  const logFolder = join(input.dataFolder, "logs");
  const pd = planPd(input, logFolder);
  const stores = Array.from({ length: input.storeCount }, (_, at) => planStore(input, logFolder, at));
  return { dataFolder: input.dataFolder, logFolder, pd, stores };
}

/** PD first, then the Stores. */
export function membersOf(plan: ClusterPlan): MemberPlan[] {
  return [plan.pd, ...plan.stores];
}

export function rpcAddress(member: MemberPlan): string {
  return `${member.host}:${member.port}`;
}

export function httpAddress(member: MemberPlan): string {
  return `${member.host}:${member.httpPort}`;
}

function planPd(input: PlanInput, logFolder: string): MemberPlan {
  const place = placement("pd", input.dataFolder, logFolder, input.basePort, input.basePort + 1);
  const initialRegions =
    input.splitKeys.length === 0 ? [] : ["--initial-regions", input.splitKeys.map(escapeKey).join(",")];
  return {
    ...place,
    kind: "pd",
    args: [
      ...commonArgs(place),
      ...["--bootstrap-stores", String(input.bootstrapStoreCount ?? input.storeCount)],
      ...initialRegions,
      ...flag("--max-store-down-time", input.maxStoreDownTime),
    ],
  };
}

function planStore(input: PlanInput, logFolder: string, at: number): MemberPlan {
  const { dataFolder, basePort } = input;
  const place = placement(`store-${at + 1}`, dataFolder, logFolder, basePort + 10 + at, basePort + 20 + at);
  return {
    ...place,
    kind: "server",
    args: [
      ...commonArgs(place),
      ...["--pd", `${HOST}:${basePort}`],
      ...flag("--region-split-size", input.regionSplitSize),
    ],
  };
}

function flag(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [name, value];
}

type Placement = Omit<MemberPlan, "kind" | "args">;

function placement(
  name: string,
  dataFolder: string,
  logFolder: string,
  port: number,
  httpPort: number,
): Placement {
  return {
    name,
    host: HOST,
    port,
    httpPort,
    folder: join(dataFolder, name),
    logFile: join(logFolder, `${name}.log`),
  };
}

function commonArgs(place: Placement): string[] {
  const { folder, host, port, httpPort } = place;
  return ["--data-dir", folder, "--host", host, "--port", String(port), "--http-port", String(httpPort)];
}

// PD reads \xNN in keys as a byte, so that a backslash has to be written that way itself.
function escapeKey(key: string): string {
  return key.replaceAll("\\", "\\x5c");
}
