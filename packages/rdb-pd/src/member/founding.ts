import { type PeerId, RdbError, peerId } from "@flaredb/rdb-base";
import { type Engine, RecordReader, RecordWriter, type WritePart } from "@flaredb/rdb-storage";

const FORMAT = 1;
/** Its row in the column `meta`. */
const FOUNDING_KEY = new TextEncoder().encode("pd-founding");

/** With whom a member's folder was begun: what its votes and its quorum rest on until the group's own log says more. */
export interface Founding {
  readonly memberId: PeerId;
  /** The group's first members; none: this one joins a group that is there, and gets everything by a snapshot. */
  readonly firstVoters: readonly PeerId[];
  /** Their names in the order of their ids; none for a lone member and for one that joins. */
  readonly firstNames: readonly string[];
}

/** Written with the first state of the folder's log. */
export function writeFounding(part: WritePart, { memberId, firstVoters, firstNames }: Founding): void {
  const record = new RecordWriter().u8(FORMAT).u64(memberId).u64List(firstVoters).u64(firstNames.length);
  for (const name of firstNames) {
    record.bytes(new TextEncoder().encode(name));
  }
  part.put("meta", FOUNDING_KEY, record.finish());
}

/**
 * Whether a folder may go on with what its member is told now.
 *
 * @param isFounded the folder knows its cluster: then its own log says who votes, and the list is of no account
 * @throws RdbError RDB_DATA_FOREIGN when the folder was begun by another member; RDB_CONFIG_INVALID when it was begun
 * with other first members: votes counted by two lists can elect two leaders; RDB_DATA_CORRUPT
 */
export function checkFounding(engine: Engine, told: Founding, isFounded: boolean): void {
  const begun = readFounding(engine);
  if (begun === undefined) {
    return;
  }
  const begunWith = formatList(begun);
  const toldNow = formatList(told);
  if (!isFounded && begunWith !== toldNow) {
    throw new RdbError(
      "RDB_CONFIG_INVALID",
      `the data folder was begun with the first members ${begunWith}, but initialCluster now names ${toldNow}: start every member with the list that it was begun with, or all of them with the new one and empty data folders`,
      { details: { begunWith, toldNow } },
    );
  }
  if (begun.memberId !== told.memberId) {
    throw new RdbError(
      "RDB_DATA_FOREIGN",
      `the data folder was begun by PD member ${begun.memberId}, this is member ${told.memberId}: give it an empty one`,
      { details: { memberId: begun.memberId } },
    );
  }
}

function readFounding(engine: Engine): Founding | undefined {
  const row = engine.get("meta", FOUNDING_KEY);
  if (row === undefined) {
    return undefined;
  }
  const reader = new RecordReader(row, "list of first members").format(FORMAT);
  const memberId = peerId(reader.u64());
  const firstVoters = reader.u64List().map(peerId);
  const firstNames: string[] = [];
  for (let left = reader.u64(); left > 0; left--) {
    firstNames.push(new TextDecoder().decode(reader.bytes()));
  }
  reader.end();
  return { memberId, firstVoters, firstNames };
}

function formatList({ firstVoters, firstNames }: Founding): string {
  if (firstVoters.length === 0) {
    return "[] (it joins a group)";
  }
  const members = firstVoters.map((id, at) => firstNames[at] ?? `member ${id}`);
  return `[${members.join(", ")}]`;
}
