import type { ProcessPort } from "./process-port.ts";
import { FRAME_HEADER_BYTES } from "@flaredb/rdb-proto";
import { GRPC_HEADERS } from "./grpc-headers.ts";
import type { SimNet } from "./sim-net.ts";
import type { Caller } from "./sim-socket.ts";
import type { SimStream } from "./sim-stream.ts";

/** How much later the copy of a request comes, at most. */
const REPEAT_MAX_MS = 3_000;
/** Of this many copies, one is sent right behind its request: the Store may meet both in one turn. */
const AT_ONCE_ONE_IN = 4;

/**
 * Sends a copy of a request: most often later and on a connection of its own, as a client does that tries again, to
 * whoever listens there by then; now and then at once. Nobody reads the answer.
 */
export function sendRepeat(stream: SimStream, bytes: Uint8Array): void {
  const { net, connection } = stream.session;
  if (net.random.nextInt(AT_ONCE_ONE_IN) === 0) {
    sendCopy(stream.session, stream.path, bytes);
    return;
  }
  const mayRepeat = net.mayRepeat?.(connection.host, bytes.subarray(FRAME_HEADER_BYTES));
  net.clock.setTimer(net.random.nextFraction() * REPEAT_MAX_MS, () => {
    if (mayRepeat?.() === false) {
      return;
    }
    const session = stream.session.connectAgain(ghost(net, connection.host));
    session.on("error", () => {
      // Nobody listens there now: the copy is lost.
    });
    session.once("remoteSettings", () => {
      sendCopy(session, stream.path, bytes).on("close", () => session.destroy());
    });
  });
}

/** On a stream of its own. */
function sendCopy(session: SimStream["session"], path: string, bytes: Uint8Array): SimStream {
  const call = session.request({ ...GRPC_HEADERS, ":path": path });
  call.on("error", () => {
    // The server would not take it, or the connection is gone: the copy is lost.
  });
  // Past the window too: the copy is one message, and nothing follows it.
  call.sendRaw(bytes);
  call.end();
  return call;
}

/** A process that is always there and does nothing by itself. */
function ghost(net: SimNet, host: string): Caller {
  const { clock } = net;
  const process: ProcessPort = {
    isDead: false,
    run: (callback) => callback(),
    wallMs: () => clock.wallMs(),
    monotonicMs: () => clock.monotonicMs(),
    setTimer: (delayMs, callback) => clock.setTimer(delayMs, callback),
    setImmediate: (callback) => clock.setImmediate(callback),
  };
  return { host, sockets: new Set(), process, stop: () => {} };
}
