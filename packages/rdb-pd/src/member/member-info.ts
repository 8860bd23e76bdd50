/** A member of PD's own group, as others reach it. */
export interface MemberInfo {
  readonly id: number;
  readonly name: string;
  /** host:port of its RPC endpoint. */
  readonly address: string;
  /** host:port of its HTTP endpoint; empty while it never ran. */
  readonly httpAddress: string;
}

/** The same with what the leader knows of it. */
export interface MemberStatus extends MemberInfo {
  /** It has no vote yet. */
  readonly isLearner: boolean;
  /** The leader heard of it within its last election timeout; false on who does not lead. */
  readonly isUp: boolean;
  /** The newest cluster version that its program knows; undefined while it has not said to this member. */
  readonly clusterVersion?: number | undefined;
}
