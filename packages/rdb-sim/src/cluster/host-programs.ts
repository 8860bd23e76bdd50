import { clusterVersions } from "@flaredb/rdb-base";
import type { FaultyProcess } from "../faults/injector.ts";

/** Which program each Store and member of PD runs: in an upgrade they differ in what they know. */
export class HostPrograms {
  readonly #areOlder: boolean;
  /** Of the hosts whose program was replaced. */
  readonly #replaced = new Map<string, number>();
  /** What knew the program that each host started last: all that others can know of it. */
  readonly #started = new Map<string, number>();

  /** @param areOlder whether all begin with programs that know the oldest cluster version only */
  constructor(areOlder: boolean) {
    this.#areOlder = areOlder;
  }

  /** The newest cluster version that the program on the host knows. */
  knownBy(host: string): number {
    return this.#replaced.get(host) ?? (this.#areOlder ? clusterVersions.oldest : clusterVersions.newest);
  }

  /** The host starts its program. @returns the newest cluster version that it knows */
  start(host: string): number {
    const known = this.knownBy(host);
    this.#started.set(host, known);
    return known;
  }

  /** Whether a host waits to start an older program than it ran: nobody can know that yet. */
  isOlderToCome(processes: readonly { readonly name: string }[]): boolean {
    return processes.some(({ name }) => this.knownBy(name) < (this.#started.get(name) ?? 0));
  }

  /** The newest that all of them know. */
  lowest(processes: readonly { readonly name: string }[]): number {
    return Math.min(...processes.map(({ name }) => this.knownBy(name)));
  }

  /** The host's next start is with the other program. */
  replace(host: string, clusterVersion: number): void {
    this.#replaced.set(host, clusterVersion);
  }

  /** The process stops in good order. @returns lets it start, with the other program */
  change(process: FaultyProcess, clusterVersion: number): () => void {
    this.replace(process.name, clusterVersion);
    const release = process.hold();
    process.stop();
    return release;
  }
}
