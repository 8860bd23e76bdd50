import { BATCH_COUNT, type MicroCase } from "./micro-case.ts";
import { RaftGroup } from "./raft-group.ts";

/** The Raft core alone: propose, append on three peers, acknowledge, commit, apply. */
export const raftCases: readonly MicroCase[] = [replicated(1), replicated(BATCH_COUNT)];

function replicated(count: number): MicroCase {
  return {
    name: `Raft step on 3 peers, ${count === 1 ? "1 entry" : `${count} entries`} a proposal`,
    operations: count,
    prepare: () => {
      const group = new RaftGroup();
      const datas = Array.from({ length: count }, (_, at) => new Uint8Array(300).fill(at));
      return { run: () => group.replicate(datas) };
    },
  };
}
