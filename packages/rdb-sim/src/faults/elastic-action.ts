import type { Random } from "@flaredb/rdb-base";
import type { Elasticity } from "./cluster-shape.ts";

/**
 * What people ask of the placement driver. Regions are named by a key of theirs, peers and Stores by place, which wraps
 * around: which those are is found when it is asked.
 */
export type AdminAction =
  /** At a key; empty: into parts of about equal size. */
  | { readonly kind: "split-region"; readonly key: string; readonly at: string; readonly parts: number }
  /** One of the Region's peers to one of the Stores that have none. */
  | { readonly kind: "move-peer"; readonly key: string; readonly from: number; readonly to: number }
  | { readonly kind: "add-peer"; readonly key: string; readonly to: number }
  | { readonly kind: "remove-peer"; readonly key: string; readonly from: number }
  | { readonly kind: "lead-by"; readonly key: string; readonly to: number }
  | { readonly kind: "scatter"; readonly key: string }
  | { readonly kind: "merge-region"; readonly key: string }
  | { readonly kind: "check-region"; readonly key: string };

/** What happens to whole Stores. */
type StoreAction =
  /** It is to be emptied, until the fault ends. */
  | { readonly kind: "decommission"; readonly place: number }
  /**
   * It is gone for good, with its disk, if every Region can go without it. Then another one joins: under the same
   * address, or a Store that was not there before.
   */
  | { readonly kind: "lose-store"; readonly place: number; readonly successor: "same-address" | "spare" };

export type ElasticAction = AdminAction | StoreAction;

const adminKinds = [
  "split-region",
  "move-peer",
  "add-peer",
  "remove-peer",
  "lead-by",
  "scatter",
  "merge-region",
  "check-region",
] as const satisfies readonly AdminAction["kind"][];

const adminKindSet: ReadonlySet<string> = new Set(adminKinds);

export function isAdminAction(action: { readonly kind: string }): action is AdminAction {
  return adminKindSet.has(action.kind);
}

/** Keys begin with the letter of the Region that they were in when the run began. */
export const LETTERS = ["a", "b", "c", "d"];
/** What the workloads' keys go on with, so that Regions are cut between keys, on keys, and at what few have. */
const TAILS = [
  "",
  "-",
  "-key0",
  "-key1",
  "-key2",
  "-key3",
  "-list0",
  "-own ",
  "-own client-2p",
  "-probe",
  "-zz",
];
/** No place of a Store or a peer is higher: places wrap around. */
const PLACE_BOUND = 8;

/** An action of the kind. */
export function drawElasticAction<Kind extends ElasticAction["kind"]>(
  random: Random,
  kind: Kind,
): Extract<ElasticAction, { kind: Kind }>;
export function drawElasticAction(random: Random, kind: ElasticAction["kind"]): ElasticAction {
  const place = (): number => random.nextInt(PLACE_BOUND);
  const key = drawKey(random);
  switch (kind) {
    case "split-region":
      return { kind, key, at: random.nextInt(3) === 0 ? "" : drawKey(random), parts: 2 + random.nextInt(3) };
    case "move-peer":
      return { kind, key, from: place(), to: place() };
    case "add-peer":
    case "lead-by":
      return { kind, key, to: place() };
    case "remove-peer":
      return { kind, key, from: place() };
    case "scatter":
    case "merge-region":
    case "check-region":
      return { kind, key };
    case "decommission":
      return { kind, place: place() };
    case "lose-store":
      return { kind, place: place(), successor: random.nextInt(2) === 0 ? "same-address" : "spare" };
  }
}

/** The key that clients write in a hurry, of the Region at this place when the run began. */
export function eagerKeyOf(region: number): string {
  return `${LETTERS[region]}-eager`;
}

/** Where such a Region may be cut. */
export function drawCut(random: Random, region: number): string {
  return `${LETTERS[region]}${oneOf(random, TAILS.slice(1))}`;
}

function drawKey(random: Random): string {
  return `${oneOf(random, LETTERS)}${oneOf(random, TAILS)}`;
}

/** What makes a cluster elastic; about half of it is tiny. */
export function drawElasticity(random: Random): Elasticity {
  return {
    spareStoreCount: 1 + random.nextInt(2),
    regionSplitSizeBytes: oneOf(random, [500, 2_000, 8_000, 1_000_000]),
    maxStoreDownTimeMs: oneOf(random, [2_000, 5_000, 60_000]),
    balances: random.nextInt(3) !== 0,
    mergeEnabled: random.nextInt(3) === 0,
  };
}

function oneOf<Item>(random: Random, items: readonly Item[]): Item {
  return items[random.nextInt(items.length)] as Item;
}
