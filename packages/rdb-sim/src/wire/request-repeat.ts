import { FRAME_HEADER_BYTES } from "@flaredb/rdb-proto";
import { type Frame, dataFrame } from "./frame.ts";
import { GRPC_HEADERS } from "./grpc-headers.ts";
import type { ProcessPort } from "./process-port.ts";
import type { SimNet } from "./sim-net.ts";
import type { Caller } from "./sim-socket.ts";
import type { SimStream } from "./sim-stream.ts";

/** How much later the copy of a request comes, at most. */
const REPEAT_MAX_MS = 3_000;
/** Of this many copies, one comes with its request. */
const AT_ONCE_ONE_IN = 4;

/**
 * Sends a request twice. Most often the copy comes later and on a connection of its own, as a client does that tries
 * again, to whoever listens there by then, and nobody reads the answer. Now and then it comes with the request: the Store
 * meets both in one turn. Not some time behind it: what was refused is told to be not applied, and a copy of that which
 * another moment admits is none of the faults that a client can stand.
 */
export function sendTwice(stream: SimStream, sent: Frame): void {
  const { net, connection } = stream.session;
  const bytes = sent.bytes as Uint8Array;
  if (net.random.nextInt(AT_ONCE_ONE_IN) === 0 && net.repeatsAtOnce) {
    stream.session.send(dataFrame(stream.id, Buffer.concat([bytes, bytes])));
    return;
  }
  stream.session.send(sent);
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
