import { type PeerId, peerId } from "@flaredb/rdb-base";
import { pdLimits } from "../limits.ts";
import type { MemberInfo, MemberStatus } from "./member-info.ts";
import type { PdRaft } from "./pd-raft.ts";
import type { PdStorage } from "./pd-storage.ts";

export interface MemberRosterOptions {
  readonly self: () => MemberInfo;
  /** The group's first members as configured, by id; what was learned since goes before it. */
  readonly initial: ReadonlyMap<number, { readonly name: string; readonly address: string }>;
  readonly log: PdRaft;
  readonly storage: Pick<PdStorage, "state">;
  /** The newest cluster version that this program knows. */
  readonly knownVersion: number;
}

/** Who is in the group, and where: by the log, by what members say of themselves, by the configuration. */
export class MemberRoster {
  readonly #options: MemberRosterOptions;
  /** What each said last, since this process started. */
  readonly #heard = new Map<number, MemberInfo>();
  readonly #clusterVersions = new Map<number, number>();

  constructor(options: MemberRosterOptions) {
    this.#options = options;
  }

  /** Another member says how it is reached, and what it knows. Who is no member is not remembered. */
  heard(sender: MemberInfo, clusterVersion: number): void {
    const ids = this.#ids();
    // One that has just joined knows of no members yet, and has to answer the first that speaks to it.
    const isNew = ids.length === 0 && this.#heard.size < pdLimits.memberMaxCount;
    if (isNew || ids.includes(peerId(sender.id))) {
      this.#heard.set(sender.id, sender);
      this.#clusterVersions.set(sender.id, clusterVersion);
    }
  }

  /** As it is reached now, as far as known. */
  info(id: number): MemberInfo | undefined {
    const { self, initial, storage } = this.#options;
    const configured = initial.get(id);
    return id === self().id
      ? self()
      : (this.#heard.get(id) ??
          storage.state.members.get(id) ??
          (configured === undefined ? undefined : { id, httpAddress: "", ...configured }));
  }

  isRemoved(id: number): boolean {
    return this.#options.storage.state.members.get(id)?.isRemoved === true;
  }

  /** Only who knew the cluster has said where its HTTP endpoint is. */
  hasServed(id: number): boolean {
    return (this.#options.storage.state.members.get(id)?.httpAddress ?? "") !== "";
  }

  /** Everybody in the configuration in force, by id. */
  members(): MemberStatus[] {
    const { log, knownVersion } = this.#options;
    const { learners } = log.confState;
    return this.#ids().map((id) => ({
      ...(this.info(id) ?? { id, name: "", address: "", httpAddress: "" }),
      isLearner: learners.includes(id),
      isUp: log.progressOf(id)?.isUp === true,
      clusterVersion: id === log.memberId ? knownVersion : this.#clusterVersions.get(id),
    }));
  }

  #ids(): PeerId[] {
    const { voters, learners, votersOutgoing } = this.#options.log.confState;
    return [...new Set([...voters, ...votersOutgoing, ...learners])].sort((a, b) => a - b);
  }

  /** Where the log does not say what is so. */
  unrecorded(): MemberInfo[] {
    const { members } = this.#options.storage.state;
    return this.members().flatMap(({ id }) => {
      const info = this.info(id);
      const row = members.get(id);
      const isKnown =
        info === undefined ||
        (row !== undefined &&
          row.name === info.name &&
          row.address === info.address &&
          row.httpAddress === info.httpAddress);
      return isKnown ? [] : [{ id, name: info.name, address: info.address, httpAddress: info.httpAddress }];
    });
  }

  /** No member ever had it. */
  nextId(): number {
    const ids = [...this.#options.storage.state.members.keys(), ...this.members().map(({ id }) => id)];
    return Math.max(...ids) + 1;
  }
}
