import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { Http2SessionManager } from "@connectrpc/connect-node";

/**
 * connect's keeper of a session, made safe. A session that is given up for silence tells its error when its socket is
 * closed, a little later; the keeper does not listen to it any more when a call came meanwhile and began another one.
 * Nobody would: the error would be thrown at the process.
 */
export class GuardedSessionManager extends Http2SessionManager {
  readonly #guarded = new WeakSet<ClientHttp2Session>();

  override async request(...call: Parameters<Http2SessionManager["request"]>): Promise<ClientHttp2Stream> {
    const stream = await super.request(...call);
    this.#guard(stream.session);
    return stream;
  }

  #guard(session: ClientHttp2Stream["session"]): void {
    if (session === undefined || this.#guarded.has(session as ClientHttp2Session)) {
      return;
    }
    this.#guarded.add(session as ClientHttp2Session);
    // The calls that it carried fail by themselves, with the same reason.
    session.on("error", () => {});
  }
}
