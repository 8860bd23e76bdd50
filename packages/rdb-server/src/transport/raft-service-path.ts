import { RaftService } from "@flaredb/rdb-proto";

/** The HTTP/2 path of the hot stream between Stores. */
export const RAFT_BATCH_PATH: string = `/${RaftService.typeName}/${RaftService.method.batch.name}`;
