import { relative } from "node:path";
import { type ClusterPlan, httpAddress, pdAddresses, rpcAddress } from "./plan.ts";

const DEFAULT_BASE_PORT = 7400;

export interface Banner {
  readonly plan: ClusterPlan;
  readonly regionCount: number;
  /** The id of the Store at each RPC address. */
  readonly storeIds: ReadonlyMap<string, bigint>;
  readonly isTemporary: boolean;
  readonly startMs: number;
}

/** What a newcomer needs to know, in one block. */
export function renderBanner({ plan, regionCount, storeIds, isTemporary, startMs }: Banner): string {
  const [first, ...others] = plan.pds;
  const isDefault = first.port === DEFAULT_BASE_PORT && others.length === 0;
  const pd = isDefault ? "" : ` --pd ${pdAddresses(plan).join(",")}`;
  const pds = plan.pds.map(
    (member) => `  ${member.name.padEnd(8)} ${rpcAddress(member).padEnd(16)} http://${httpAddress(member)}`,
  );
  const stores = plan.stores.map(
    (store) =>
      `  ${store.name.padEnd(8)} ${rpcAddress(store).padEnd(16)} http://${httpAddress(store)}  Store ${storeIds.get(rpcAddress(store)) ?? "?"}`,
  );
  const data = isTemporary ? `${plan.dataFolder} (removed at the end)` : display(plan.dataFolder);
  return `
FlareDB serves ${count(regionCount, "Region")} on ${count(plan.stores.length, "Store")} (started in ${(startMs / 1000).toFixed(1)} s)

${pds.join("\n")}
${stores.join("\n")}

  look at  http://${httpAddress(first)}/dashboard/
  data     ${data}
  logs     ${display(plan.logFolder)}

Try, in another terminal:

  npx rdb put apple 1${pd}
  npx rdb get apple${pd}
  npx rdb region list${pd}

Ctrl-C stops everything${isTemporary ? "" : "; the data stays"}.
`;
}

/** The same for programs. */
export function bannerDocument({ plan, regionCount, storeIds, startMs }: Banner): Record<string, unknown> {
  const pds = plan.pds.map((member) => ({
    name: member.name,
    address: rpcAddress(member),
    httpAddress: httpAddress(member),
  }));
  return {
    pd: pds[0],
    pdMembers: pds,
    stores: plan.stores.map((store) => ({
      name: store.name,
      storeId: Number(storeIds.get(rpcAddress(store)) ?? 0),
      address: rpcAddress(store),
      httpAddress: httpAddress(store),
    })),
    dataFolder: plan.dataFolder,
    logFolder: plan.logFolder,
    regionCount,
    startMs: Math.round(startMs),
  };
}

function count(amount: number, thing: string): string {
  return `${amount} ${thing}${amount === 1 ? "" : "s"}`;
}

function display(path: string): string {
  const short = relative(process.cwd(), path);
  return short === "" || short.startsWith("..") ? path : short;
}
