import { join } from "node:path";
import type { ProcessKind } from "../run-process.ts";

/** One process of the playground. */
export interface MemberPlan {
  /** `pd` or, of several, `pd-1`, …; `store-1`, … */
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
  /** The placement driver's members, at least one. */
  readonly pds: readonly [MemberPlan, ...MemberPlan[]];
  readonly stores: readonly MemberPlan[];
}

export interface PlanInput {
  readonly dataFolder: string;
  readonly storeCount: number;
  /** Default: 1. */
  readonly pdMemberCount?: number;
  readonly basePort: number;
  readonly splitKeys: readonly string[];
  /** So many Stores get the initial Regions. Default: all. */
  readonly bootstrapStoreCount?: number | undefined;
  /** Passed on to the Stores and to PD. */
  readonly regionSplitSize?: string | undefined;
  readonly maxStoreDownTime?: string | undefined;
}

const HOST = "127.0.0.1";

/** Ports and folders of a cluster: PD's members from the base port on, two ports each, Stores from 10 and 20 above it. */
export function planCluster(input: PlanInput): ClusterPlan {
  const logFolder = join(input.dataFolder, "logs");
  const pds = planPds(input, logFolder);
  const stores = Array.from({ length: input.storeCount }, (_, at) => planStore(input, logFolder, at));
  return { dataFolder: input.dataFolder, logFolder, pds, stores };
}

/** PD first, then the Stores. */
export function membersOf(plan: ClusterPlan): MemberPlan[] {
  return [...plan.pds, ...plan.stores];
}

/** Where the placement driver's members answer. */
export function pdAddresses(plan: ClusterPlan): string[] {
  return plan.pds.map(rpcAddress);
}

export function rpcAddress(member: MemberPlan): string {
  return `${member.host}:${member.port}`;
}

export function httpAddress(member: MemberPlan): string {
  return `${member.host}:${member.httpPort}`;
}

function planPds(input: PlanInput, logFolder: string): ClusterPlan["pds"] {
  const [first, ...others] = pdPorts(input);
  const isAlone = others.length === 0;
  const names = pdPorts(input).map((_, at) => (isAlone ? "pd" : `pd-${at + 1}`));
  const members = pdPorts(input).map((port, at) => `${names[at]}=${HOST}:${port}`);
  const plan = (port: number, at: number): MemberPlan => {
    const name = names[at] ?? "pd";
    const group = isAlone ? [] : ["--name", name, "--initial-cluster", members.join(",")];
    return planPd(input, placement(name, input.dataFolder, logFolder, port, port + 1), group);
  };
  return [plan(first, 0), ...others.map((port, at) => plan(port, at + 1))];
}

/** Of each member of the placement driver; its HTTP port is the next one. */
function pdPorts({ basePort, pdMemberCount = 1 }: PlanInput): [number, ...number[]] {
  return [basePort, ...Array.from({ length: pdMemberCount - 1 }, (_, at) => basePort + 2 * (at + 1))];
}

function planPd(input: PlanInput, place: Placement, group: readonly string[]): MemberPlan {
  const initialRegions =
    input.splitKeys.length === 0 ? [] : ["--initial-regions", input.splitKeys.map(escapeKey).join(",")];
  return {
    ...place,
    kind: "pd",
    args: [
      ...commonArgs(place),
      ...group,
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
      ...[
        "--pd",
        pdPorts(input)
          .map((port) => `${HOST}:${port}`)
          .join(","),
      ],
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
