import type { Index, PeerId } from "@flaredb/rdb-base";
import type { ConfState } from "@flaredb/rdb-raft";

/** A configuration, and the entry that made it. */
interface Change {
  readonly index: Index;
  readonly state: ConfState;
  readonly text: string;
}

/** What a configuration followed, when a peer came to it first. */
export interface NewConfig {
  readonly before: ConfState | undefined;
  readonly state: ConfState;
}

/** The configurations that a Region's log made, one after the other. */
export class ConfigHistory {
  /** Ascending. */
  readonly #changes: Change[] = [];

  /**
   * A peer has this configuration at an applied index.
   *
   * @returns what is new about it; undefined when it is known; in words, when another one is known there
   */
  saw(index: Index, state: ConfState): NewConfig | string | undefined {
    const text = JSON.stringify(state);
    const known = this.#changes.findLast((change) => change.index <= index);
    if (known?.text === text) {
      return undefined;
    }
    const isLast = known === this.#changes.at(-1);
    if (known !== undefined && (!isLast || known.index === index)) {
      return `the configuration at ${index} is ${text}, and was ${known.text} since ${known.index}`;
    }
    this.#changes.push({ index, state, text });
    return { before: known?.state, state };
  }

  /**
   * Configurations in which an entry may have been committed: the one that the entries before it made, and the one
   * before that, as a leader counts in the one that it has applied.
   */
  for(index: Index): readonly ConfState[] {
    return this.#changes
      .filter((change) => change.index < index || change === this.#changes[0])
      .slice(-2)
      .map(({ state }) => state);
  }
}

/** Why two configurations must not follow each other, if so: their majorities need not meet. */
export function stepProblem(before: ConfState, after: ConfState): string | undefined {
  const changed = differences(before.voters, after.voters);
  if (after.votersOutgoing.length > 0) {
    return before.votersOutgoing.length > 0
      ? "a joint configuration follows a joint one"
      : differences(before.voters, after.votersOutgoing).length > 0
        ? `the old half is ${list(after.votersOutgoing)}, and the voters were ${list(before.voters)}`
        : undefined;
  }
  if (before.votersOutgoing.length > 0) {
    return changed.length > 0 ? `leaving a joint configuration changes ${list(changed)}` : undefined;
  }
  return changed.length > 1 ? `${list(changed)} change at once` : undefined;
}

/** Peers that vote in `after` and did not before. */
export function newVoters(before: ConfState, after: ConfState): readonly PeerId[] {
  const known = new Set([...before.voters, ...before.votersOutgoing]);
  return after.voters.filter((id) => !known.has(id));
}

function differences(a: readonly PeerId[], b: readonly PeerId[]): PeerId[] {
  return [...a.filter((id) => !b.includes(id)), ...b.filter((id) => !a.includes(id))];
}

function list(ids: readonly PeerId[]): string {
  return ids.join(", ");
}
