import type { Index } from "@flaredb/rdb-base";
import { restoreConfig } from "./conf-change/restore.ts";
import { plus } from "./index-math.ts";
import type { Message, Snapshot } from "./messages.ts";
import type { Raft } from "./raft.ts";

/**
 * How many terms a message may be ahead, at most. Each election takes one, so even a peer that was away for years is
 * within it; a number beyond it would only use terms up.
 */
const TERM_LEAP_MAX = 2 ** 32;
/** Terms and indexes end here: what is added to one of them stays a safe integer. */
const NUMBER_MAX = Number.MAX_SAFE_INTEGER - TERM_LEAP_MAX;

/**
 * Why no peer that keeps to the protocol says this here, if so. Such a message is damage or a lie: taking it would break
 * what the core relies on, and its assertions end the process, with all Regions that have a peer in it.
 */
export function implausible(raft: Raft, message: Message): string | undefined {
  const { type, term, index } = message;
  if (term > Math.min(raft.term + TERM_LEAP_MAX, NUMBER_MAX)) {
    return `its term ${term} is too far ahead of ${raft.term}`;
  }
  switch (type) {
    case "MsgApp":
      return implausibleEntries(message);
    case "MsgAppResp": {
      const last = raft.log.lastIndex();
      const isToMe = raft.isLeader && term === raft.term && !message.reject;
      return isToMe && index > last
        ? `it acknowledges index ${index}, and the log here ends at ${last}`
        : undefined;
    }
    case "MsgSnap":
      return message.snapshot === undefined
        ? undefined
        : implausibleSnapshot(raft, message, message.snapshot);
    default:
      return undefined;
  }
}

function implausibleEntries({ term, index, entries }: Message): string | undefined {
  const last = entries.at(-1);
  if (last === undefined) {
    return undefined;
  }
  if (plus(index, entries.length) > NUMBER_MAX) {
    return `its last entry has the index ${last.index}`;
  }
  // The terms of a log never fall, so that the last one is the highest.
  return last.term > term
    ? `its entry ${last.index} is of term ${last.term}, it itself of ${term}`
    : undefined;
}

function implausibleSnapshot(raft: Raft, { term }: Message, { metadata }: Snapshot): string | undefined {
  const { index, confState } = metadata;
  if (index > NUMBER_MAX || metadata.term > term) {
    return `it is of term ${term}, its snapshot of index ${index} and term ${metadata.term}`;
  }
  const restored = restoreConfig(confState, { limits: raft.tracker.limits, lastIndex: index as Index });
  return restored.ok ? undefined : `its snapshot's configuration cannot be: ${restored.reason}`;
}
