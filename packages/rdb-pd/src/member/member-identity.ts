import { type PeerId, RdbError, peerId } from "@flaredb/rdb-base";
import type { Founding } from "./founding.ts";

/** A member as the configuration names it. */
export interface InitialMember {
  readonly name: string;
  /** host:port of its RPC endpoint. */
  readonly address: string;
}

/** The only member of a group that is not configured. */
const LONE_MEMBER: PeerId = peerId(1);

/** Who this member is. */
export interface MemberIdentity extends Founding {
  /** The first members by id; empty for a lone one and for one that joined. */
  readonly initial: ReadonlyMap<number, InitialMember>;
  /** The same as all of them must have it. */
  readonly initialCluster: string;
}

/**
 * Ids by the order of the names, so that the same list in any order gives the same.
 *
 * @throws RdbError RDB_CONFIG_INVALID when the list does not name this member
 */
export function configuredIdentity(
  name: string,
  initialCluster: readonly InitialMember[] | undefined,
): MemberIdentity {
  if (initialCluster === undefined) {
    return {
      memberId: LONE_MEMBER,
      firstVoters: [LONE_MEMBER],
      firstNames: [],
      initial: new Map(),
      initialCluster: "",
    };
  }
  const sorted = [...initialCluster].sort((a, b) => (a.name < b.name ? -1 : 1));
  const at = sorted.findIndex((member) => member.name === name);
  if (at < 0) {
    const names = sorted.map((member) => member.name).join(", ");
    throw new RdbError("RDB_CONFIG_INVALID", `initialCluster names ${names}, but not this member, ${name}`);
  }
  return {
    memberId: peerId(at + 1),
    firstVoters: sorted.map((_, position) => peerId(position + 1)),
    firstNames: sorted.map((member) => member.name),
    initial: new Map(sorted.map((member, position) => [position + 1, member])),
    initialCluster: sorted.map((member) => `${member.name}=${member.address}`).join(","),
  };
}

/** One that was added to a group that is there: it gets everything from the others. */
export function joiningIdentity(memberId: number): MemberIdentity {
  return {
    memberId: peerId(memberId),
    firstVoters: [],
    firstNames: [],
    initial: new Map(),
    initialCluster: "",
  };
}
