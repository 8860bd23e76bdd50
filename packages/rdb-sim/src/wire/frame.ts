import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";

/**
 * What travels on a connection: TCP's `syn`, `synack` and `fin`, and HTTP/2's frames as far as anybody sees them.
 * `end` ends one direction of a stream; `credit` is WINDOW_UPDATE.
 */
export type FrameKind =
  | "syn"
  | "synack"
  | "fin"
  | "settings"
  | "ping"
  | "pong"
  | "goaway"
  | "headers"
  | "data"
  | "end"
  | "trailers"
  | "reset"
  | "credit";

export interface Frame {
  readonly kind: FrameKind;
  readonly streamId: number;
  readonly headers: IncomingHttpHeaders | undefined;
  readonly bytes: Uint8Array | undefined;
  /** Of `reset` HTTP/2's error code, of `credit` the count of bytes, of `headers` 1 when nothing follows. */
  readonly value: number;
  /** When it arrives, if nothing is in its way. Set when it is sent. */
  arrivesMs: number;
}

/** HTTP/2's codes for the end of a stream, as far as they are used. */
export const rstCodes = { noError: 0, internalError: 2, refusedStream: 7, cancel: 8 } as const;

/** Bytes that every frame takes besides its content. */
const FRAME_OVERHEAD_BYTES = 60;
const HEADERS_BYTES = 120;

export function frame(kind: FrameKind, streamId = 0, value = 0): Frame {
  return { kind, streamId, headers: undefined, bytes: undefined, value, arrivesMs: 0 };
}

export function dataFrame(streamId: number, bytes: Uint8Array): Frame {
  return { kind: "data", streamId, headers: undefined, bytes, value: 0, arrivesMs: 0 };
}

export function headersFrame(
  kind: "headers" | "trailers",
  streamId: number,
  headers: OutgoingHttpHeaders,
  isLast: boolean,
): Frame {
  return {
    kind,
    streamId,
    headers: received(headers),
    bytes: undefined,
    value: isLast ? 1 : 0,
    arrivesMs: 0,
  };
}

/** About how much of a link it takes. */
export function sizeOnLink({ bytes, headers }: Frame): number {
  return FRAME_OVERHEAD_BYTES + (bytes?.length ?? 0) + (headers === undefined ? 0 : HEADERS_BYTES);
}

/** As HTTP/2 carries them: text, but for `:status`. */
function received(headers: OutgoingHttpHeaders): IncomingHttpHeaders {
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) {
      result[name.toLowerCase()] =
        name === ":status" ? Number(value) : Array.isArray(value) ? value.join(", ") : String(value);
    }
  }
  return result as IncomingHttpHeaders;
}
