import { assert, index, peerId, type Index, type PeerId } from "@flaredb/rdb-base";
import { describeQuorum } from "../quorum/describe.ts";
import { JointConfig } from "../quorum/joint.ts";
import { MajorityConfig } from "../quorum/majority.ts";
import { expectKeys, valuesOf, type CommandLine } from "./command-line.ts";
import type { BlockRunner } from "./runner.ts";
import { BadScriptError } from "./script-error.ts";

type Acked = (id: PeerId) => Index | undefined;

const NO_ANSWER = "_";
const EMPTY = new MajorityConfig([]);

/**
 * A runner for the blocks of a quorum file: `committed cfg=(1,2) cfgj=(2,3) idx=(100,_,50)` and
 * `vote cfg=(1,2) votes=(y,n)`. Answers are given once for each voter, in the order of cfg and then cfgj; `_` is none.
 * `cfgj=zero` makes the quorum joint with the empty one. Each result is also computed in ways that must agree.
 */
export function quorumRunner(): BlockRunner {
  return (block) => {
    expectKeys(block, ["cfg", "cfgj", block.command === "vote" ? "votes" : "idx"]);
    switch (block.command) {
      case "committed":
        return runCommitted(block);
      case "vote":
        return runVote(block);
      default:
        throw new BadScriptError(`unknown command ${block.command}; known are committed, vote`);
    }
  };
}

function runCommitted(line: CommandLine): string {
  const { quorum, isJoint } = readQuorum(line);
  const answers = readAnswers(line, "idx", quorum);
  const acked: Acked = (id) => {
    const answer = answers.get(id);
    return answer === undefined ? undefined : index(Number(answer));
  };
  const committed = quorum.committedIndex(acked);
  const swapped = new JointConfig(quorum.outgoing, quorum.incoming).committedIndex(acked);
  assert(
    swapped === committed,
    `committed index ${committed} does not depend on the order of the majorities`,
  );
  if (!isJoint) {
    assertMajorityAgrees(quorum.incoming, acked, committed);
  }
  return `${describeQuorum(quorum.ids(), acked)}${formatCommitted(committed)}`;
}

function runVote(line: CommandLine): string {
  const { quorum } = readQuorum(line);
  const votes = new Map<PeerId, boolean>();
  for (const [id, answer] of readAnswers(line, "votes", quorum)) {
    assert(answer === "y" || answer === "n", `vote ${answer} is y, n or ${NO_ANSWER}`);
    votes.set(id, answer === "y");
  }
  const result = quorum.voteResult(votes);
  const swapped = new JointConfig(quorum.outgoing, quorum.incoming).voteResult(votes);
  assert(swapped === result, `vote result ${result} does not depend on the order of the majorities`);
  return result;
}

function readQuorum(line: CommandLine): { quorum: JointConfig; isJoint: boolean } {
  const outgoing = valuesOf(line, "cfgj");
  const isZero = outgoing.length === 1 && outgoing[0] === "zero";
  const quorum = new JointConfig(
    new MajorityConfig(valuesOf(line, "cfg").map(toId)),
    isZero ? EMPTY : new MajorityConfig(outgoing.map(toId)),
  );
  return { quorum, isJoint: outgoing.length > 0 };
}

/** What the voters answered; those that did not are missing. */
function readAnswers(line: CommandLine, key: string, quorum: JointConfig): Map<PeerId, string> {
  const given = valuesOf(line, key);
  const listed = [...valuesOf(line, "cfg"), ...valuesOf(line, "cfgj").filter((value) => value !== "zero")];
  const voters = [...new Set(listed.map(toId))];
  assert(voters.length === quorum.ids().length, "every voter of the quorum is listed once");
  if (given.length !== voters.length) {
    throw new BadScriptError(`${line.command}: ${given.length} answers for ${voters.length} voters`);
  }
  const answers = new Map(voters.map((id, at) => [id, given[at] ?? NO_ANSWER] as const));
  return new Map([...answers].filter(([, answer]) => answer !== NO_ANSWER));
}

/** Ways round that must lead to the same committed index. */
function assertMajorityAgrees(majority: MajorityConfig, acked: Acked, committed: number): void {
  const withItself = new JointConfig(majority, majority).committedIndex(acked);
  assert(withItself === committed, `committed index ${committed} is the same jointly with itself`);
  for (const id of majority.ids) {
    const own = acked(id);
    if (own !== undefined && own < committed) {
      const lowered = majority.committedIndex((other) => (other === id ? index(0) : acked(other)));
      assert(lowered === committed, `committed index ${committed} does not depend on ${id}, which is behind`);
    }
  }
}

/** Nothing limits what an empty quorum has committed. */
function formatCommitted(committed: number): string {
  return committed === Number.MAX_SAFE_INTEGER ? "∞" : String(committed);
}

function toId(value: string): PeerId {
  return peerId(Number(value));
}
