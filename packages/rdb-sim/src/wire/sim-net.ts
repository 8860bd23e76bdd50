import { type Random, assert } from "@flaredb/rdb-base";
import type { Clock } from "@flaredb/rdb-base";
import { Link, type LinkState, quietLink } from "./link.ts";
import type { HeldMessage, NetEvent, NetEventKind, NetMessage, Verdict } from "./net-event.ts";
import type { SimSocket } from "./sim-socket.ts";

export interface SimNetOptions {
  /** Virtual time. Every delay of the network is one of its timers. */
  readonly clock: Clock;
  /** Decides delays and faults; the network draws from nothing else. */
  readonly random: Random;
  /** Bytes of one stream that may be on their way, each direction. Default 1 MiB. */
  readonly windowBytes?: number;
  /** Methods whose messages may be lost, doubled and overtaken. Default: `/rdb.v1.RaftService/Batch`. */
  readonly unreliablePaths?: readonly string[];
  /** Methods whose requests may come again. Default: `/rdb.v1.KvService/Batch`. */
  readonly repeatedPaths?: readonly string[];
  /** Whether a copy may come with its request: whoever takes the one takes the other too. Default true. */
  readonly repeatsAtOnce?: boolean;
}

/** Who takes connections at an address. */
export interface SimAcceptor {
  accept(socket: SimSocket): void;
}

/** One start of a process, as the network keeps it. */
export interface Attached {
  readonly host: string;
  readonly sockets: Set<SimSocket>;
  /** What the network does to it when the host loses power. */
  stop(how: "reset" | "silent"): void;
}

const DEFAULT_WINDOW_BYTES = 1024 * 1024;
/** Where the ports begin that callers and `listen(0)` get. */
const FIRST_FREE_PORT = 20_000;

/**
 * The network of a simulated cluster: hosts by name, and between each two of them a link in each direction that a
 * fault plan makes slow, lossy or silent. Processes take part through a `SimWire` each.
 */
export class SimNet {
  readonly clock: Clock;
  readonly random: Random;
  readonly windowBytes: number;
  readonly unreliablePaths: ReadonlySet<string>;
  readonly repeatedPaths: ReadonlySet<string>;
  readonly repeatsAtOnce: boolean;
  /** Sees every message and every change of a connection, at the time at which it happens. */
  observe: ((event: NetEvent) => void) | undefined;
  /** Decides about every message that is sent. */
  intercept: ((message: NetMessage) => Verdict) | undefined;
  /**
   * Asked about each request of which a copy may come, when it is sent and again when the copy would leave: without an
   * identity that the first one has used up, the copy would do what its sender was told is not done.
   */
  mayRepeat: ((host: string, message: Uint8Array) => () => boolean) | undefined;
  /** What an interceptor holds, oldest first. Emptied by `release` of each. */
  readonly held: HeldMessage[] = [];
  readonly #links = new Map<string, Map<string, Link>>();
  readonly #listeners = new Map<string, { acceptor: SimAcceptor; owner: Attached }>();
  readonly #attached = new Set<Attached>();
  readonly #withoutPower = new Set<string>();
  readonly #watchers = new Set<(event: NetEvent) => void>();
  readonly #nextPorts = new Map<string, number>();
  #default: LinkState = quietLink;
  #connectionCount = 0;

  constructor(options: SimNetOptions) {
    this.clock = options.clock;
    this.random = options.random;
    this.windowBytes = options.windowBytes ?? DEFAULT_WINDOW_BYTES;
    this.unreliablePaths = new Set(options.unreliablePaths ?? ["/rdb.v1.RaftService/Batch"]);
    this.repeatedPaths = new Set(options.repeatedPaths ?? ["/rdb.v1.KvService/Batch"]);
    this.repeatsAtOnce = options.repeatsAtOnce ?? true;
    assert(this.windowBytes > 0, "a stream has a window");
  }

  /** Lets one more see what `observe` sees. @returns ends that */
  watch(watcher: (event: NetEvent) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** How the link from one host to another behaves now. */
  link(from: string, to: string): LinkState {
    return this.linkBetween(from, to).state;
  }

  /** Changes one direction. */
  setLink(from: string, to: string, change: Partial<LinkState>): void {
    const link = this.linkBetween(from, to);
    link.state = { ...link.state, ...change };
  }

  /** Changes all links, those that were changed one by one and those of hosts to come too. */
  setLinks(change: Partial<LinkState>): void {
    this.#default = { ...this.#default, ...change };
    for (const link of this.#allLinks()) {
      link.state = { ...link.state, ...change };
    }
  }

  /** Cuts both directions between two hosts. */
  cut(a: string, b: string): void {
    this.setLink(a, b, { isBlocked: true });
    this.setLink(b, a, { isBlocked: true });
  }

  /** Cuts every link between hosts of different groups. Hosts in none keep theirs. */
  partition(...groups: readonly (readonly string[])[]): void {
    for (const [place, group] of groups.entries()) {
      for (const other of groups.slice(place + 1)) {
        for (const a of group) {
          for (const b of other) {
            this.cut(a, b);
          }
        }
      }
    }
  }

  /** Every link is as at the start. What is held stays held, and hosts without power stay without. */
  heal(): void {
    this.#default = quietLink;
    for (const link of this.#allLinks()) {
      link.state = quietLink;
    }
  }

  /** The host falls silent: its processes' connections are forgotten without a word to anybody. */
  powerOff(host: string): void {
    this.#withoutPower.add(host);
    for (const attached of this.#attached) {
      if (attached.host === host) {
        attached.stop("silent");
      }
    }
  }

  /** The host answers again; a new SimWire on it does this too. */
  powerOn(host: string): void {
    this.#withoutPower.delete(host);
  }

  isPowered(host: string): boolean {
    return !this.#withoutPower.has(host);
  }

  /** Cuts the connections between two hosts; both sides notice, as when a middlebox forgets them. */
  resetConnections(a: string, b: string): void {
    for (const attached of this.#attached) {
      if (attached.host !== a && attached.host !== b) {
        continue;
      }
      const remote = attached.host === a ? b : a;
      for (const socket of attached.sockets) {
        if (socket.remoteHost === remote) {
          socket.wasReset("ECONNRESET");
        }
      }
    }
  }

  /** @internal */
  linkBetween(from: string, to: string): Link {
    let links = this.#links.get(from);
    if (links === undefined) {
      links = new Map();
      this.#links.set(from, links);
    }
    let link = links.get(to);
    if (link === undefined) {
      link = new Link(from, to, this.#default);
      links.set(to, link);
    }
    return link;
  }

  /** @internal Whether something that leaves now, or arrives now, gets through. */
  carries(link: Link): boolean {
    return !link.state.isBlocked && this.isPowered(link.from) && this.isPowered(link.to);
  }

  /** @internal A process takes part. */
  attach(attached: Attached): void {
    this.powerOn(attached.host);
    this.#attached.add(attached);
  }

  /** @internal A process does not any more. */
  detach(attached: Attached): void {
    this.#attached.delete(attached);
    for (const [address, { owner }] of this.#listeners) {
      if (owner === attached) {
        this.#listeners.delete(address);
      }
    }
  }

  /** @internal @returns the port, or undefined when another process listens there */
  listen(owner: Attached, port: number, acceptor: SimAcceptor): number | undefined {
    const realPort = port === 0 ? this.freePort(owner.host) : port;
    const address = `${owner.host}:${realPort}`;
    if (this.#listeners.has(address)) {
      return undefined;
    }
    this.#listeners.set(address, { acceptor, owner });
    return realPort;
  }

  /** @internal */
  stopListening(host: string, port: number, acceptor: SimAcceptor): void {
    const address = `${host}:${port}`;
    if (this.#listeners.get(address)?.acceptor === acceptor) {
      this.#listeners.delete(address);
    }
  }

  /** @internal */
  listenerAt(host: string, port: number): { acceptor: SimAcceptor; owner: Attached } | undefined {
    return this.#listeners.get(`${host}:${port}`);
  }

  /** @internal */
  freePort(host: string): number {
    const port = this.#nextPorts.get(host) ?? FIRST_FREE_PORT;
    this.#nextPorts.set(host, port + 1);
    return port;
  }

  /** @internal */
  nextConnectionId(): number {
    return ++this.#connectionCount;
  }

  /** @internal A packet that nobody repeats: it arrives in time or never. */
  sendPacket(from: string, to: string, arrived: () => void): void {
    const link = this.linkBetween(from, to);
    if (!this.carries(link)) {
      return;
    }
    const nowMs = this.clock.monotonicMs();
    this.clock.setTimer(link.arrivalMs(nowMs, PACKET_BYTES, this.random) - nowMs, () => {
      if (this.carries(link)) {
        arrived();
      }
    });
  }

  /** @internal */
  report(kind: NetEventKind, socket: SimSocket, streamId: number, path: string, sizeBytes: number): void {
    if (this.observe === undefined && this.#watchers.size === 0) {
      return;
    }
    const event: NetEvent = {
      kind,
      atMs: this.clock.monotonicMs(),
      from: socket.host,
      to: socket.remoteHost,
      connectionId: socket.connectionId,
      streamId,
      path,
      sizeBytes,
    };
    this.observe?.(event);
    for (const watcher of this.#watchers) {
      watcher(event);
    }
  }

  *#allLinks(): Iterable<Link> {
    for (const links of this.#links.values()) {
      yield* links.values();
    }
  }
}

const PACKET_BYTES = 64;
