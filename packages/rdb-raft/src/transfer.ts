import type { PeerId } from "@flaredb/rdb-base";
import { hex } from "./hex.ts";
import type { PeerMessage } from "./peer-message.ts";
import type { Progress } from "./progress.ts";
import type { Raft } from "./raft.ts";
import { sendAppend } from "./replication.ts";

/**
 * Leader: hands leadership to the message's sender (thesis §3.10): brings its log up to date, then tells it to
 * campaign at once. Given up after an election timeout.
 */
export function handleTransferLeader(raft: Raft, message: PeerMessage, progress: Progress): void {
  const transferee = message.from;
  if (progress.isLearner) {
    raft.logger.debug(`${raft.name} is learner. Ignored transferring leadership`);
    return;
  }
  if (raft.leadTransferee !== 0) {
    if (raft.leadTransferee === transferee) {
      raft.logger.info(
        `${raft.name} [term ${raft.term}] transfer leadership to ${hex(transferee)} is in progress, ` +
          `ignores request to same node ${hex(transferee)}`,
      );
      return;
    }
    const previous = raft.leadTransferee;
    raft.abortLeaderTransfer();
    raft.logger.info(
      `${raft.name} [term ${raft.term}] abort previous transferring leadership to ${hex(previous)}`,
    );
  }
  if (transferee === raft.id) {
    raft.logger.debug(`${raft.name} is already leader. Ignored transferring leadership to self`);
    return;
  }
  raft.logger.info(`${raft.name} [term ${raft.term}] starts to transfer leadership to ${hex(transferee)}`);
  // From now on, so that the transfer gets a whole election timeout.
  raft.electionElapsed = 0;
  raft.leadTransferee = transferee;
  if (progress.match === raft.log.lastIndex()) {
    sendTimeoutNow(raft, transferee);
    raft.logger.info(
      `${raft.name} sends MsgTimeoutNow to ${hex(transferee)} immediately as ` +
        `${hex(transferee)} already has up-to-date log`,
    );
  } else {
    sendAppend(raft, transferee);
  }
}

/** Leader: tells a peer to campaign without waiting for its election timeout. */
export function sendTimeoutNow(raft: Raft, to: PeerId): void {
  raft.send({ type: "MsgTimeoutNow", to });
}
