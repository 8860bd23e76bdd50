import type { Message } from "@flaredb/rdb-raft";

const CAMPAIGN_TRANSFER = new TextEncoder().encode("CampaignTransfer");

/** Whether a vote is asked for because the leader handed over: it need not wait for any lease. */
export function isCampaignTransfer(message: Message): boolean {
  const { context } = message;
  return (
    context !== undefined &&
    context.length === CAMPAIGN_TRANSFER.length &&
    context.every((byte, place) => byte === CAMPAIGN_TRANSFER[place])
  );
}

/** Whether the sender wants to lead. */
export function asksForVotes({ type }: Message): boolean {
  return type === "MsgVote" || type === "MsgPreVote";
}

/** Late answers must not wake a leader that has just fallen asleep; everything else is news. */
export function wakesSleeper(message: Message): boolean {
  switch (message.type) {
    case "MsgHeartbeatResp":
    case "MsgAppResp":
    case "MsgVoteResp":
    case "MsgPreVoteResp":
      return false;
    default:
      return true;
  }
}
