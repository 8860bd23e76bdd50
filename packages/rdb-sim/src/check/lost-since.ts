import type { EntryChange } from "./log-changes.ts";
import type { PeerRecord } from "./peer-record.ts";

/**
 * What was durable for a peer and is not found after a start, in words.
 *
 * @param found undefined: nothing of the peer is
 * @param touched changes of its log that were submitted, and may be durable or not
 */
export function lostSince(
  old: PeerRecord,
  found: PeerRecord | undefined,
  touched: readonly EntryChange[],
): readonly string[] {
  const durable = old.durableHardState;
  if (found === undefined) {
    return durable === undefined ? [] : [`a peer in term ${durable.term} was durable, and nothing is found`];
  }
  const lost: string[] = [];
  const now = found.hardState;
  if (durable !== undefined && !isKept(durable, now)) {
    const text = now === undefined ? "nothing" : `term ${now.term} with a vote for ${now.vote}`;
    lost.push(`term ${durable.term} with a vote for ${durable.vote} was durable, and ${text} is found`);
  }
  const changed = new Set(touched.map(({ index }) => index));
  for (const [index, { term, hash }] of old.durableEntries) {
    const entry = found.entry(index);
    const isSame = entry?.term === term && entry.hash === hash;
    if (!isSame && index > found.truncated.index && !changed.has(index)) {
      return [...lost, `entry ${index} of term ${term} was durable, and is not found`];
    }
  }
  return lost;
}

function isKept(durable: NonNullable<PeerRecord["durableHardState"]>, now: PeerRecord["hardState"]): boolean {
  if (now === undefined || now.term < durable.term) {
    return false;
  }
  return now.term > durable.term || durable.vote === 0 || now.vote === durable.vote;
}
