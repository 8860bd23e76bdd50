/** The column families of a Store's database (DESIGN §3). The order is fixed: it is part of the disk format. */
export const columns = ["raft_log", "raft_state", "region", "session", "data", "meta"] as const;

export type Column = (typeof columns)[number];

/** The position of each column in {@link columns}. */
export const columnNumbers: Readonly<Record<Column, number>> = {
  raft_log: 0,
  raft_state: 1,
  region: 2,
  session: 3,
  data: 4,
  meta: 5,
};
