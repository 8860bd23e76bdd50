import { type LinkRule, TcpProxy } from "./tcp-proxy.ts";

/**
 * Whoever sends or listens: PD or a member of its group, a Store by its place, or the tests themselves. Members of PD
 * call from the same address as the tests: as callers they are `client`.
 */
export type Party = "pd" | `pd-${number}` | "client" | number;

/**
 * The network between the processes of a test: each process is reached through a proxy, and each Store calls from a
 * loopback address of its own, so that the proxy knows the caller and can cut or slow each ordered pair alone.
 */
export class Network {
  readonly #proxies = new Map<Party, TcpProxy>();
  readonly #rules = new Map<string, LinkRule>();

  /** The address from which a Store calls the others. */
  static outgoingHost(place: number): string {
    return `127.0.0.${10 + place}`;
  }

  /** Puts a proxy before `party`, which listens on `targetPort`; returns the proxy's port. */
  async front(party: Party, targetPort: number, port: number): Promise<number> {
    const proxy = new TcpProxy(targetPort, (remoteAddress) => this.#rule(callerAt(remoteAddress), party));
    this.#proxies.set(party, proxy);
    return proxy.listen(port);
  }

  /** What happens to connections that `from` makes to `to`. */
  set(from: Party, to: Party, rule: LinkRule): void {
    this.#rules.set(pair(from, to), rule);
    this.#proxies.get(to)?.rulesChanged();
  }

  /** Separates a Store from the other Stores and PD, in both directions; with `client`, from clients too. */
  isolate(place: number, rule: LinkRule, options: { readonly client: boolean } = { client: false }): void {
    for (const other of this.#proxies.keys()) {
      if (other !== place) {
        this.set(place, other, rule);
        this.set(other, place, rule);
      }
    }
    if (options.client) {
      this.set("client", place, rule);
    }
  }

  /** Everybody reaches everybody again. */
  heal(): void {
    this.#rules.clear();
    for (const proxy of this.#proxies.values()) {
      proxy.rulesChanged();
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#proxies.values()].map((proxy) => proxy.close()));
  }

  #rule(from: Party, to: Party): LinkRule {
    return this.#rules.get(pair(from, to)) ?? "pass";
  }
}

function pair(from: Party, to: Party): string {
  return `${from}>${to}`;
}

function callerAt(remoteAddress: string): Party {
  const last = Number(/^(?:::ffff:)?127\.0\.0\.(\d+)$/.exec(remoteAddress)?.[1] ?? 1);
  return last >= 10 ? last - 10 : "client";
}
