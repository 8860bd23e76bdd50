import { RdbError } from "@flaredb/rdb-base";

/** A peer as its Store tells PD at `GET /api/v1/regions/{id}`. */
export interface StorePeerReport {
  readonly peerId: number;
  readonly isLeader: boolean;
  readonly isAsleep: boolean;
  readonly term: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly firstIndex: number;
  readonly lastIndex: number;
  /** What a leader knows of the others; none from another peer. */
  readonly followers: readonly FollowerReport[];
}

/** Another peer, as the leader sees it. */
export interface FollowerReport {
  readonly peerId: number;
  /** `probe`, `replicate` or `snapshot`. */
  readonly state: string;
  readonly matchIndex: number;
  readonly nextIndex: number;
  /** Whether its Store is heard of. */
  readonly isAlive: boolean;
}

/** @throws RdbError RDB_INTERNAL when it is no StorePeerReport */
export function storePeerFromJson(value: unknown): StorePeerReport {
  const fields = fieldsOf(value);
  const { followers = [] } = fields;
  if (!Array.isArray(followers)) {
    throw malformed("followers");
  }
  return {
    peerId: indexOf(fields, "peerId"),
    isLeader: fields["isLeader"] === true,
    isAsleep: fields["isAsleep"] === true,
    term: indexOf(fields, "term"),
    commitIndex: indexOf(fields, "commitIndex"),
    appliedIndex: indexOf(fields, "appliedIndex"),
    firstIndex: indexOf(fields, "firstIndex"),
    lastIndex: indexOf(fields, "lastIndex"),
    followers: followers.map(followerFromJson),
  };
}

function followerFromJson(value: unknown): FollowerReport {
  const fields = fieldsOf(value);
  const { state } = fields;
  if (typeof state !== "string") {
    throw malformed("state");
  }
  return {
    state,
    peerId: indexOf(fields, "peerId"),
    matchIndex: indexOf(fields, "matchIndex"),
    nextIndex: indexOf(fields, "nextIndex"),
    isAlive: fields["isAlive"] === true,
  };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) {
    throw malformed("an object");
  }
  return value as Readonly<Record<string, unknown>>;
}

function indexOf(fields: Readonly<Record<string, unknown>>, name: string): number {
  const value = fields[name];
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw malformed(name);
  }
  return value;
}

function malformed(what: string): RdbError {
  return new RdbError("RDB_INTERNAL", `the Store's peer lacks ${what}`);
}
