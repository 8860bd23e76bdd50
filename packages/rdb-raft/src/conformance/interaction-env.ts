import { assert } from "@flaredb/rdb-base";
import type { Message } from "../messages.ts";
import type { StepResult } from "../raw-node.ts";
import type { InteractionPeer } from "./interaction-peer.ts";
import { Output } from "./output.ts";
import { BadScriptError, ScriptError } from "./script-error.ts";

/** What all blocks of one interaction file share. Peers are numbered 1..n in the order in which they were added. */
export class InteractionEnv {
  readonly peers: InteractionPeer[] = [];
  readonly output = new Output();
  /** Messages in flight between all peers, in the order in which they were sent. */
  messages: Message[] = [];

  /** The peer of an id that a script names. */
  peer(id: number): InteractionPeer {
    const peer = this.peers[id - 1];
    if (peer === undefined) {
      throw new BadScriptError(`no peer ${id}: ${this.peers.length} were added`);
    }
    return peer;
  }

  /** Peers that take part: those named, or all when none is. */
  peersOrAll(ids: readonly number[]): readonly InteractionPeer[] {
    return ids.length === 0 ? this.peers : ids.map((id) => this.peer(id));
  }

  /** Runs `body` for each peer; with more than one, each under a header and indented. */
  forEachUnderHeader(ids: readonly number[], header: string, body: (peer: InteractionPeer) => void): void {
    for (const id of ids) {
      const peer = this.peer(id);
      if (ids.length > 1) {
        this.underHeader(peer, header, () => body(peer));
      } else {
        body(peer);
      }
    }
  }

  underHeader(peer: InteractionPeer, header: string, body: () => void): void {
    this.output.writeLine(`> ${peer.id} ${header}`);
    this.output.indented(body);
  }

  /** Turns a refusal of the core into the command's error. */
  expectAccepted(result: StepResult): void {
    const refusal = describeRefusal(result);
    if (refusal !== undefined) {
      throw new ScriptError(refusal);
    }
  }
}

/** The words of the data files for a step's refusal; undefined when it is none, or one that only a log line tells. */
export function describeRefusal(result: StepResult): string | undefined {
  switch (result) {
    case "proposal-dropped":
      return "raft proposal dropped";
    case "local-message":
      return "raft: cannot step raft local message";
    case "peer-not-found":
      return "raft: cannot step as peer not found";
    default:
      return undefined;
  }
}

/** Guards the loops of the runner: a core that never settles fails instead of running on. */
export function assertSettles(rounds: number, limit: number, what: string): void {
  assert(rounds < limit, `${what} settles within ${limit} rounds`);
}
