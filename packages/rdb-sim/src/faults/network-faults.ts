import { assertNever } from "@flaredb/rdb-base";
import { type LinkState, quietLink } from "../wire/link.ts";
import type { NetworkFaultAction } from "./fault.ts";

/** A fault of the network whose targets are found: hosts instead of roles. */
export type ActiveNetworkFault =
  | Extract<
      NetworkFaultAction,
      { kind: "loss" | "delay" | "duplicate" | "reorder" | "repeat" | "narrow" | "ring" }
    >
  | { readonly kind: "slow-link"; readonly from: string; readonly to: string; readonly delayMs: number }
  | { readonly kind: "one-way"; readonly from: string; readonly to: string }
  | { readonly kind: "split"; readonly left: ReadonlySet<string> }
  | { readonly kind: "isolate" | "cut-off"; readonly host: string };

/** What a host is to the network. */
export interface Hosts {
  readonly all: readonly string[];
  /** In the order of their ring. */
  readonly stores: readonly string[];
}

/**
 * How the link from one host to another behaves while all of these faults last: delays add up, rates join, one that
 * blocks is enough.
 */
export function linkUnder(
  faults: Iterable<ActiveNetworkFault>,
  link: { readonly from: string; readonly to: string },
  hosts: Hosts,
  latencyMs: readonly [number, number],
): LinkState {
  let state: LinkState = { ...quietLink, minLatencyMs: latencyMs[0], maxLatencyMs: latencyMs[1] };
  for (const fault of faults) {
    state = worsen(state, fault, link, hosts);
  }
  return state;
}

function worsen(
  state: LinkState,
  fault: ActiveNetworkFault,
  { from, to }: { readonly from: string; readonly to: string },
  hosts: Hosts,
): LinkState {
  switch (fault.kind) {
    case "loss":
      return {
        ...state,
        packetLossRate: either(state.packetLossRate, fault.packetRate),
        messageLossRate: either(state.messageLossRate, fault.messageRate),
      };
    case "delay":
      return { ...state, maxLatencyMs: state.maxLatencyMs + fault.maxMs };
    case "duplicate":
      return { ...state, messageDuplicationRate: either(state.messageDuplicationRate, fault.rate) };
    case "reorder":
      return { ...state, messageReorderRate: either(state.messageReorderRate, fault.rate) };
    case "repeat":
      return { ...state, requestRepeatRate: either(state.requestRepeatRate, fault.rate) };
    case "narrow":
      return { ...state, bytesPerSecond: Math.min(state.bytesPerSecond, fault.bytesPerSecond) };
    case "slow-link":
      return from === fault.from && to === fault.to
        ? {
            ...state,
            minLatencyMs: state.minLatencyMs + fault.delayMs,
            maxLatencyMs: state.maxLatencyMs + fault.delayMs,
          }
        : state;
    case "one-way":
      return blockedIf(state, from === fault.from && to === fault.to);
    case "ring":
      return blockedIf(
        state,
        !isInRing(hosts.stores.indexOf(from), hosts.stores.indexOf(to), fault.gap, hosts),
      );
    case "split":
      return blockedIf(state, fault.left.has(from) !== fault.left.has(to));
    case "isolate":
      return blockedIf(state, from === fault.host || to === fault.host);
    case "cut-off":
      return blockedIf(
        state,
        (from === fault.host || to === fault.host) &&
          hosts.stores.includes(from) &&
          hosts.stores.includes(to),
      );
    default:
      return assertNever(fault, "kind of fault");
  }
}

/** Whether a ring of Stores, open behind the place `gap`, leaves the link as it is; it concerns only Stores. */
function isInRing(from: number, to: number, gap: number, { stores }: Hosts): boolean {
  if (from < 0 || to < 0) {
    return true;
  }
  const next = (place: number): number => (place + 1) % stores.length;
  return (to === next(from) && from !== gap) || (from === next(to) && to !== gap);
}

function blockedIf(state: LinkState, isBlocked: boolean): LinkState {
  return isBlocked ? { ...state, isBlocked } : state;
}

/** The rate at which one of two independent things happens. */
function either(a: number, b: number): number {
  return a + b - a * b;
}
