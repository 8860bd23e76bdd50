import type { Index } from "@flaredb/rdb-base";
import type { ConfState, Entry, Snapshot } from "../messages.ts";

/** A simulated peer's state machine: a digest of everything that was applied, and the configuration. */
export interface SimMachine {
  readonly index: Index;
  readonly digest: number;
  readonly confState: ConfState;
}

/** What a snapshot says. */
export function machineOf({ metadata, data }: Snapshot): SimMachine {
  const bytes = new Uint8Array(DIGEST_BYTES);
  bytes.set(data.subarray(0, DIGEST_BYTES));
  const digest = new DataView(bytes.buffer).getUint32(0);
  return { index: metadata.index, digest, confState: metadata.confState };
}

/** A snapshot's data. */
export function machineData({ digest }: SimMachine): Uint8Array {
  const bytes = new Uint8Array(DIGEST_BYTES);
  new DataView(bytes.buffer).setUint32(0, digest);
  return bytes;
}

/** What becomes of a machine with one more entry; `confState` is the configuration after it. */
export function nextMachine(machine: SimMachine, entry: Entry, confState: ConfState): SimMachine {
  return { index: entry.index, digest: digestOf(machine.digest, entry), confState };
}

/** A text that two machines share only if they are the same. */
export function describeMachine({ digest, confState }: SimMachine): string {
  return `${digest} ${JSON.stringify(confState)}`;
}

const DIGEST_BYTES = 4;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** FNV-1a over the digest so far and the entry. */
function digestOf(digest: number, { term, data }: Entry): number {
  return [term, ...data].reduce((hash, byte) => Math.imul(hash ^ byte, FNV_PRIME) >>> 0, digest ^ FNV_OFFSET);
}
