import { assert, assertNever, type Index, type PeerId, type Term } from "@flaredb/rdb-base";
import { hex } from "./hex.ts";
import { maxIndex, plus, ZERO_INDEX, ZERO_TERM } from "./index-math.ts";
import type { Message, MessageType } from "./messages.ts";
import { voteResponseType } from "./new-message.ts";
import type { PeerMessage } from "./peer-message.ts";
import type { VoteTally } from "./progress-tracker.ts";
import type { Raft } from "./raft.ts";
import { broadcastAppend } from "./replication.ts";

/** Why a peer campaigns. A transfer's votes are granted in spite of the old leader's lease. */
export type CampaignType = "CampaignPreElection" | "CampaignElection" | "CampaignTransfer";

/** A tick of a peer that does not lead. */
export function tickElection(raft: Raft): void {
  raft.electionElapsed++;
  if (!raft.promotable()) {
    return;
  }
  if (raft.pastElectionTimeout()) {
    raft.electionElapsed = 0;
    // Undecided for a whole election timeout: whoever has not answered is rather dead than unlucky.
    const wasUndecided = raft.campaignType !== undefined;
    startElection(raft, wasUndecided ? 2 * raft.askAgainTicks : undefined);
  } else if (raft.campaignType !== undefined && raft.config.repeatVoteRequests) {
    tickCampaign(raft, raft.campaignType);
  }
}

/**
 * Asks those again that have not answered: a request or an answer may be lost, and who refused silently for the lease of a
 * leader may have given that up meanwhile. To whoever gets both it is one request. Once a heartbeat interval; after a
 * campaign that ended undecided half as often, down to once an election timeout, as where a majority is dead every Region
 * campaigns for ever.
 */
function tickCampaign(raft: Raft, type: CampaignType): void {
  raft.heartbeatElapsed++;
  // Until the own vote is durable the first requests wait for it, too.
  if (raft.heartbeatElapsed >= raft.askAgainTicks && raft.tracker.votes.has(raft.id)) {
    raft.heartbeatElapsed = 0;
    requestVotes(raft, type);
  }
}

/** Campaigns, with a pre-election where that is on. `askAgainTicks`: see {@link hup}. */
export function startElection(raft: Raft, askAgainTicks?: number): void {
  hup(raft, raft.config.preVote ? "CampaignPreElection" : "CampaignElection", askAgainTicks);
}

/**
 * Campaigns if this peer may.
 *
 * @param askAgainTicks after how many ticks those are asked again that have not answered; an election timeout at most.
 * Default: a heartbeat interval
 */
export function hup(raft: Raft, type: CampaignType, askAgainTicks?: number): void {
  if (raft.role === "Leader") {
    raft.logger.debug(`${raft.name} ignoring MsgHup because already leader`);
    return;
  }
  if (!raft.promotable()) {
    raft.logger.warn(`${raft.name} is unpromotable and can not campaign`);
    return;
  }
  if (hasUnappliedConfChanges(raft)) {
    raft.logger.warn(
      `${raft.name} cannot campaign at term ${raft.term} since there are still pending configuration changes to apply`,
    );
    return;
  }
  raft.logger.info(`${raft.name} is starting a new election at term ${raft.term}`);
  campaign(raft, type, askAgainTicks);
}

/** Pre-candidate or candidate: takes a vote. */
export function handleVoteResponse(raft: Raft, message: PeerMessage): void {
  const { granted, rejected, result } = poll(raft, message.from, message.type, !message.reject);
  raft.logger.info(
    `${raft.name} has received ${granted} ${message.type} votes and ${rejected} vote rejections`,
  );
  switch (result) {
    case "VoteWon":
      if (raft.role === "PreCandidate") {
        campaign(raft, "CampaignElection");
      } else {
        raft.becomeLeader();
        broadcastAppend(raft);
      }
      return;
    case "VoteLost":
      // A pre-vote's answer carries the term to come, which this peer does not enter.
      raft.becomeFollower(raft.term, 0);
      return;
    case "VotePending":
      return;
    default:
      assertNever(result, "result of an election");
  }
}

/** Any role: answers a request for a vote or a pre-vote (thesis §3.4, §3.6.1, §9.6). */
export function handleVoteRequest(raft: Raft, message: Message): void {
  const { type, from, logTerm, index } = message;
  const canVote =
    // A repetition of the vote that was cast,
    raft.vote === from ||
    // or the first vote of a term that has no leader yet,
    (raft.vote === 0 && raft.lead === 0) ||
    // or a pre-vote, which promises nothing, for a term to come.
    (type === "MsgPreVote" && message.term > raft.term);
  // A learner may vote, too: the sender may know of a promotion that this peer has not applied yet.
  const candidateLast = { term: logTerm as Term, index: plus(index, 0) };
  const granted = canVote && raft.log.isUpToDate(candidateLast);
  const verb = granted ? "cast" : "rejected";
  const preposition = granted ? "for" : "from";
  raft.logger.info(describeVoteRequest(raft, message, `${verb} ${type} ${preposition}`));
  if (!granted) {
    refuseVote(raft, message);
    if (isToRunInstead(raft)) {
      startElection(raft);
    }
    return;
  }
  // With the term of the request: a pre-vote's is not this peer's, and an answer with that would be ignored.
  raft.send({ type: voteResponseType(type), to: from, term: message.term });
  if (type === "MsgVote") {
    raft.electionElapsed = 0;
    raft.vote = from;
  }
}

/**
 * Whether nobody but this peer can win: it has lost its leader too, and the candidate, whose log is behind, has no majority
 * without the two of them. Of three voters with one dead it is this one's turn, then, and not only after its own timeout.
 */
function isToRunInstead(raft: Raft): boolean {
  const { runInstead, electionTicks } = raft.config;
  const hasLostLeader = raft.role === "Follower" && raft.lead !== 0 && raft.electionElapsed >= electionTicks;
  if (!runInstead || !hasLostLeader || !raft.promotable()) {
    return false;
  }
  const { voters } = raft.tracker.config;
  const others = voters.ids().map((id): [PeerId, boolean] => [id, id !== raft.id && id !== raft.lead]);
  return voters.voteResult(new Map(others)) === "VoteLost";
}

/** Refuses a vote or a pre-vote, and tells the candidate how far the log is known to be committed. */
export function refuseVote(raft: Raft, request: Message): void {
  const commit = raft.config.commitByRefusal ? raft.log.committed : ZERO_INDEX;
  const logTerm = raft.config.commitByRefusal ? raft.log.termOrZero(commit) : ZERO_TERM;
  raft.send({
    type: voteResponseType(request.type),
    to: request.from,
    term: raft.term,
    reject: true,
    commit,
    logTerm,
  });
}

/**
 * Takes what a refused vote tells of the commit index. When that commits a conf change the campaign is given up:
 * it asked the voters of a configuration that is not the last one.
 */
export function learnCommit(raft: Raft, response: Message): void {
  const { commit, logTerm } = response;
  const before = raft.log.committed;
  // The same term at the same index means the same log up to there (log matching, thesis §3.5).
  const known = { index: plus(commit, 0), term: logTerm as Term };
  if (!response.reject || raft.role === "Leader" || !raft.log.maybeCommit(known)) {
    return;
  }
  raft.logger.info(
    `${raft.name} [term: ${raft.term}] learned from ${hex(response.from)} that entries up to ${commit} are committed`,
  );
  if (raft.role !== "Follower" && hasConfChanges(raft, plus(before, 1))) {
    raft.becomeFollower(raft.term, 0);
  }
}

/** Whether a vote is refused unseen: this peer has heard of its leader lately (thesis §4.2.3). */
export function inLeaderLease(raft: Raft, message: Message): boolean {
  const forced = isTransfer(message.context);
  const { checkQuorum, electionTicks } = raft.config;
  return !forced && checkQuorum && raft.lead !== 0 && raft.electionElapsed < electionTicks;
}

/** `2 [logterm: 1, index: 11, vote: 1] cast MsgVote for 3 [logterm: 1, index: 11] at term 2`. */
export function describeVoteRequest(raft: Raft, message: Message, verdict: string): string {
  const last = raft.log.lastEntryId();
  return (
    `${raft.name} [logterm: ${last.term}, index: ${last.index}, vote: ${hex(raft.vote)}] ${verdict} ` +
    `${hex(message.from)} [logterm: ${message.logTerm}, index: ${message.index}] at term ${raft.term}`
  );
}

function campaign(raft: Raft, type: CampaignType, askAgainTicks = 0): void {
  if (type === "CampaignPreElection") {
    raft.becomePreCandidate();
  } else {
    raft.becomeCandidate();
  }
  raft.campaignType = type;
  raft.heartbeatElapsed = 0;
  const { heartbeatTicks, electionTicks } = raft.config;
  raft.askAgainTicks = Math.max(heartbeatTicks, Math.min(askAgainTicks, electionTicks));
  requestVotes(raft, type);
}

/** Asks every voter that has not answered in this election. */
function requestVotes(raft: Raft, type: CampaignType): void {
  const preElection = type === "CampaignPreElection";
  const request = preElection ? "MsgPreVote" : "MsgVote";
  // A pre-vote asks about the term to come without entering it.
  const term = (preElection ? raft.term + 1 : raft.term) as Term;
  const last = raft.log.lastEntryId();
  const context = type === "CampaignTransfer" ? TRANSFER_CONTEXT : undefined;
  for (const to of raft.tracker.config.voters.ids()) {
    if (raft.tracker.votes.has(to)) {
      continue;
    }
    if (to === raft.id) {
      // Its own vote counts once it is durable, as any other's.
      raft.send({ type: voteResponseType(request), to, term });
      continue;
    }
    raft.logger.info(
      `${raft.name} [logterm: ${last.term}, index: ${last.index}] sent ${request} request to ` +
        `${hex(to)} at term ${raft.term}`,
    );
    raft.send({ type: request, to, term, index: last.index, logTerm: last.term, context });
  }
}

function poll(raft: Raft, from: PeerId, type: MessageType, granted: boolean): VoteTally {
  const what = granted ? type : `${type} rejection`;
  raft.logger.info(`${raft.name} received ${what} from ${hex(from)} at term ${raft.term}`);
  raft.tracker.recordVote(from, granted);
  return raft.tracker.tallyVotes();
}

/** A conf change that is committed and not applied could make this peer campaign in an outdated configuration. */
function hasUnappliedConfChanges(raft: Raft): boolean {
  return hasConfChanges(raft, plus(raft.log.applied, 1));
}

/** Whether there is, or may be, a conf change among the committed entries from `from` on. */
function hasConfChanges(raft: Raft, from: Index): boolean {
  const { log } = raft;
  const end = plus(log.committed, 1);
  // What was compacted is applied, though the news of it may still be on its way from the apply thread.
  for (let next = maxIndex(from, log.firstIndex()); next < end; ) {
    const page = log.slice(next, end, log.maxApplyingBytes);
    if (page === "temporarily-unavailable") {
      // Not known now: do not campaign on a guess.
      return true;
    }
    assert(typeof page !== "string" && page.length > 0, `the committed entries after ${next} are in the log`);
    if (page.some((entry) => entry.type !== "Normal")) {
      return true;
    }
    next = plus(next, page.length);
  }
  return false;
}

/** The bytes of "CampaignTransfer". */
const TRANSFER_CONTEXT = Uint8Array.from("CampaignTransfer", (letter) => letter.charCodeAt(0));

function isTransfer(context: Uint8Array | undefined): boolean {
  return (
    context !== undefined &&
    context.length === TRANSFER_CONTEXT.length &&
    context.every((byte, position) => byte === TRANSFER_CONTEXT[position])
  );
}
