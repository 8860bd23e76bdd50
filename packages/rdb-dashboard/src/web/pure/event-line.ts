import type { StreamEvent } from "../api/event-text.ts";
import type { Operator, Region, Store } from "../api/gen/types.ts";
import { formatAddress } from "./address.ts";
import { regionTrouble } from "./region-order.ts";

/** An event as people read it. */
export interface EventLine {
  readonly kind: "operator" | "region" | "store" | "end";
  readonly text: string;
  readonly tone: "good" | "warn" | "bad" | "accent" | "plain";
  /** Where more of it is; undefined: nowhere. */
  readonly address: string | undefined;
}

/** @returns undefined for what this dashboard does not know */
export function eventLine({ name, data }: StreamEvent): EventLine | undefined {
  const value: unknown = JSON.parse(data);
  switch (name) {
    case "operator":
      return operatorLine(value as Operator);
    case "region":
      return regionLine(value as Region);
    case "region-gone": {
      const { id } = value as { readonly id: number };
      return { kind: "region", text: `Region ${id} is no more`, tone: "plain", address: undefined };
    }
    case "store":
      return storeLine(value as Store);
    case "end":
      return {
        kind: "end",
        text: (value as { readonly detail: string }).detail,
        tone: "warn",
        address: undefined,
      };
    default:
      return undefined;
  }
}

function operatorLine({ kind, origin, regionId, state, endReason }: Operator): EventLine {
  const address = formatAddress(["regions", regionId]);
  const what = `${kind} of Region ${regionId}, by ${origin}`;
  if (state === "waiting" || state === "running") {
    return { kind: "operator", text: `${what}: began`, tone: "accent", address };
  }
  return {
    kind: "operator",
    text: `${what}: ${state}${endReason === "" ? "" : ` (${endReason})`}`,
    tone: state === "done" ? "good" : "warn",
    address,
  };
}

function regionLine(region: Region): EventLine {
  const { id, leader, term, peers, epoch } = region;
  const trouble = regionTrouble(region);
  const led = leader === null ? "no leader" : `led by Store ${leader.storeId} in term ${term}`;
  return {
    kind: "region",
    text: `Region ${id}: ${led}, peers on ${peers.map(({ storeId }) => storeId).join(", ")}, epoch ${epoch.confVer}·${epoch.version}${trouble === undefined || leader === null ? "" : `, ${trouble}`}`,
    tone: leader === null ? "bad" : trouble === undefined ? "plain" : "warn",
    address: formatAddress(["regions", id]),
  };
}

function storeLine({ id, state }: Store): EventLine {
  return {
    kind: "store",
    text: `Store ${id} is ${state}`,
    tone: state === "up" ? "good" : state === "draining" || state === "tombstone" ? "plain" : "bad",
    address: formatAddress(["stores"], { id }),
  };
}
