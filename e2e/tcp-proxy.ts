import net from "node:net";
import type { AddressInfo } from "node:net";

/**
 * What happens on the way from one caller to the proxy's target.
 * `cut`: connections are reset, as when a process is gone. `blackhole`: nothing arrives and nothing is said, as when
 * a cable is pulled; what was on its way arrives after the healing.
 */
export type LinkRule = "pass" | "cut" | "blackhole" | { readonly delayMs: number };

/** Stands before one process and knows its callers by their addresses. */
export class TcpProxy {
  readonly #server: net.Server;
  readonly #targetPort: number;
  /** The rule for a caller's address, asked for each connection and chunk. */
  readonly #ruleFor: (remoteAddress: string) => LinkRule;
  readonly #links = new Set<Link>();

  constructor(targetPort: number, ruleFor: (remoteAddress: string) => LinkRule) {
    this.#targetPort = targetPort;
    this.#ruleFor = ruleFor;
    this.#server = net.createServer({ noDelay: true }, (caller) => this.#accept(caller));
  }

  async listen(port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host: "127.0.0.1", port }, resolve);
    });
    return (this.#server.address() as AddressInfo).port;
  }

  /** To be called when rules have changed: applies them to the connections that there are. */
  rulesChanged(): void {
    for (const link of this.#links) {
      link.follow(this.#ruleFor(link.remoteAddress));
    }
  }

  async close(): Promise<void> {
    for (const link of this.#links) {
      link.destroy();
    }
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #accept(caller: net.Socket): void {
    const remoteAddress = caller.remoteAddress ?? "";
    const rule = this.#ruleFor(remoteAddress);
    if (rule === "cut") {
      caller.on("error", () => {});
      caller.resetAndDestroy();
      return;
    }
    const link = new Link(
      remoteAddress,
      caller,
      net.connect({ port: this.#targetPort, host: "127.0.0.1", noDelay: true }),
    );
    this.#links.add(link);
    caller.once("close", () => this.#links.delete(link));
    link.follow(rule);
  }
}

/** One connection through the proxy. */
class Link {
  readonly remoteAddress: string;
  readonly #caller: net.Socket;
  readonly #target: net.Socket;
  #rule: LinkRule = "pass";

  constructor(remoteAddress: string, caller: net.Socket, target: net.Socket) {
    this.remoteAddress = remoteAddress;
    this.#caller = caller;
    this.#target = target;
    this.#carry(caller, target);
    this.#carry(target, caller);
  }

  follow(rule: LinkRule): void {
    this.#rule = rule;
    if (rule === "cut") {
      this.reset();
    } else if (rule === "blackhole") {
      this.#caller.pause();
      this.#target.pause();
    } else {
      this.#caller.resume();
      this.#target.resume();
    }
  }

  reset(): void {
    this.#caller.resetAndDestroy();
    this.#target.resetAndDestroy();
  }

  /** Not a reset: a socket that is reset as the process ends keeps Node 24's clean-up waiting for ever, now and then. */
  destroy(): void {
    this.#caller.destroy();
    this.#target.destroy();
  }

  #carry(from: net.Socket, to: net.Socket): void {
    // Whatever the rule becomes meanwhile, nothing overtakes what came before it.
    const late: Buffer[] = [];
    from.on("data", (chunk) => {
      const delayMs = typeof this.#rule === "object" ? this.#rule.delayMs : 0;
      if (delayMs === 0 && late.length === 0) {
        this.#forward(from, to, chunk);
        return;
      }
      late.push(chunk);
      setTimeout(() => this.#forward(from, to, late.shift() as Buffer), delayMs);
    });
    from.on("end", () => {
      // The other side learns of the end only while the way is open.
      if (this.#rule !== "blackhole") {
        to.end();
      }
    });
    from.on("error", () => to.destroy());
    from.on("close", () => to.destroy());
  }

  #forward(from: net.Socket, to: net.Socket, chunk: Buffer): void {
    if (to.writable && !to.write(chunk)) {
      from.pause();
      to.once("drain", () => {
        if (this.#rule !== "blackhole") {
          from.resume();
        }
      });
    }
  }
}
