import type { Index, PeerId } from "@flaredb/rdb-base";

interface VoterLine {
  readonly id: PeerId;
  readonly acked: Index | undefined;
  /** How many voters have acknowledged less. */
  readonly bar: number;
}

/**
 * Draws what each voter has acknowledged, one line a voter, ids ascending; the longer its bar, the more voters it is
 * ahead of. `?` marks a voter that has not answered.
 *
 * @param ids the voters of a majority, or of both majorities of a joint quorum, ascending
 */
export function describeQuorum(ids: readonly PeerId[], acked: (id: PeerId) => Index | undefined): string {
  if (ids.length === 0) {
    return "<empty majority quorum>";
  }
  const lines = voterLines(ids, acked).map((line) => drawVoter(line, ids.length));
  return `${" ".repeat(ids.length)}    idx\n${lines.join("")}`;
}

function voterLines(ids: readonly PeerId[], acked: (id: PeerId) => Index | undefined): VoterLine[] {
  const voters = ids.map((id) => ({ id, acked: acked(id) }));
  return voters.map((voter) => ({
    ...voter,
    bar: voters.filter((other) => (other.acked ?? 0) < (voter.acked ?? 0)).length,
  }));
}

function drawVoter({ id, acked, bar }: VoterLine, width: number): string {
  const drawing = acked === undefined ? "?".padEnd(width + 1) : `${"x".repeat(bar)}>`.padEnd(width + 1);
  return `${drawing} ${String(acked ?? 0).padStart(5)}    (id=${id})\n`;
}
