/** The column families of a Store's database (DESIGN §3). The order is fixed: it is part of the disk format. */
export const columns = ["raft_log", "raft_state", "region", "session", "data", "meta"] as const;

export type Column = (typeof columns)[number];
