import { FRAME_HEADER_BYTES } from "@flaredb/rdb-proto";
import { type Frame, dataFrame } from "./frame.ts";
import { sendTwice } from "./request-repeat.ts";
import type { SimStream } from "./sim-stream.ts";

/** How much later than others a message comes that is overtaken, or the copy of one, at most. */
const LATE_MAX_MS = 500;

/**
 * Sends a message, unless an interceptor or a fault that its method tolerates says otherwise. On methods that tolerate
 * nothing every message arrives, or the connection is lost.
 */
export function sendMessage(stream: SimStream, sent: Frame): void {
  const { net, connection } = stream.session;
  const bytes = sent.bytes as Uint8Array;
  net.report("send", connection, stream.id, stream.path, bytes.length);
  if (stream.isMuted || (net.intercept !== undefined && !passesInterceptor(stream, sent))) {
    return;
  }
  if (net.unreliablePaths.has(stream.path)) {
    sendUnreliably(stream, sent);
    return;
  }
  if (isRepeated(stream)) {
    net.report("repeat", connection, stream.id, stream.path, bytes.length);
    sendTwice(stream, sent);
  } else {
    stream.session.send(sent);
  }
}

function isRepeated({ session, path }: SimStream): boolean {
  const { net, connection, isServer } = session;
  if (isServer || !net.repeatedPaths.has(path)) {
    return false;
  }
  const { requestRepeatRate } = net.link(connection.host, connection.remoteHost);
  return requestRepeatRate > 0 && net.random.nextFraction() < requestRepeatRate;
}

function sendUnreliably(stream: SimStream, sent: Frame): void {
  const { net, connection } = stream.session;
  const { messageLossRate, messageDuplicationRate, messageReorderRate } = net.link(
    connection.host,
    connection.remoteHost,
  );
  if (messageLossRate === 0 && messageDuplicationRate === 0 && messageReorderRate === 0) {
    connection.send(sent);
    return;
  }
  const bytes = sent.bytes as Uint8Array;
  const { random } = net;
  if (random.nextFraction() < messageLossRate) {
    net.report("lose", connection, stream.id, stream.path, bytes.length);
    return;
  }
  if (random.nextFraction() < messageDuplicationRate) {
    net.report("duplicate", connection, stream.id, stream.path, bytes.length);
    connection.sendAside(dataFrame(stream.id, bytes), lateMs(stream));
  }
  if (random.nextFraction() < messageReorderRate) {
    net.report("reorder", connection, stream.id, stream.path, bytes.length);
    connection.sendAside(sent, lateMs(stream));
  } else {
    connection.send(sent);
  }
}

function lateMs(stream: SimStream): number {
  const { net, connection } = stream.session;
  const link = net.link(connection.host, connection.remoteHost);
  return link.maxLatencyMs + net.random.nextFraction() * LATE_MAX_MS;
}

function passesInterceptor(stream: SimStream, sent: Frame): boolean {
  const { net, connection } = stream.session;
  const bytes = sent.bytes as Uint8Array;
  const message = {
    from: connection.host,
    to: connection.remoteHost,
    path: stream.path,
    isAnswer: stream.session.isServer,
    connectionId: connection.connectionId,
    streamId: stream.id,
    message: bytes.subarray(FRAME_HEADER_BYTES),
  };
  const verdict = net.intercept?.(message) ?? "deliver";
  if (verdict === "deliver") {
    return true;
  }
  net.report(verdict, connection, stream.id, stream.path, bytes.length);
  if (verdict === "drop") {
    stream.isMuted = !net.unreliablePaths.has(stream.path) && !net.repeatedPaths.has(stream.path);
    return false;
  }
  const held = {
    ...message,
    release: () => {
      const place = net.held.indexOf(held);
      if (place >= 0) {
        net.held.splice(place, 1);
        net.report("release", connection, stream.id, stream.path, bytes.length);
        connection.send(sent);
      }
    },
  };
  net.held.push(held);
  return false;
}
