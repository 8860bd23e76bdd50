import type { Settings } from "node:http2";
import { KiB, MiB } from "@flaredb/rdb-base";
import type { Http2Session } from "./http2-driver.ts";

/** What both sides of every connection of ours agree on (DESIGN §7). */
export const wireSettings = {
  /** Bytes that may be on their way on one stream. HTTP/2's own default is 64 KiB. */
  streamWindowBytes: 8 * MiB,
  /** Bytes that may be on their way on all streams of one connection. */
  sessionWindowBytes: 16 * MiB,
  /** Node counts what a session has buffered, both ways, against this; its default is 10 MB. */
  sessionMemoryMaxMb: 128,
  /** Streams that the other side may have open at once; unary calls are one stream each. */
  streamMaxCount: 10_000,
  /** One HTTP/2 DATA frame. Larger ones mean fewer calls for large batches; the default is 16 KiB. */
  dataFrameMaxBytes: 256 * KiB,
} as const;

const settings: Settings = {
  initialWindowSize: wireSettings.streamWindowBytes,
  maxConcurrentStreams: wireSettings.streamMaxCount,
  maxFrameSize: wireSettings.dataFrameMaxBytes,
  enablePush: false,
};

/** For `http2.createServer` and `http2.connect` alike. */
export const http2SessionOptions = {
  settings,
  maxSessionMemory: wireSettings.sessionMemoryMaxMb,
  peerMaxConcurrentStreams: wireSettings.streamMaxCount,
} as const;

/** As {@link http2SessionOptions}, of a server with limits of its own. */
export function serverSessionOptions({ streamMaxCount }: { readonly streamMaxCount: number }) {
  return { ...http2SessionOptions, settings: { ...settings, maxConcurrentStreams: streamMaxCount } };
}

/** The session's window is no setting of HTTP/2: it is widened once the session is connected. */
export function widenSessionWindow(session: Pick<Http2Session, "setLocalWindowSize">): void {
  session.setLocalWindowSize(wireSettings.sessionWindowBytes);
}
