import { HOUR_MS, MINUTE_MS, MiB, SECOND_MS, limits } from "@flaredb/rdb-base";
import { z } from "zod";
import { about } from "./setting.ts";

const count = (atMost: number) => z.int().min(1).max(atMost);
const milliseconds = z.int().min(10).max(HOUR_MS);
/** A batch of the largest size and what is around it. */
const MESSAGE_MIN_BYTES = limits.batchMaxBytes + 1 * MiB;

/** What callers may have of a process's two ports, so that none takes it all. */
export const listenSchema = z.strictObject({
  connectionMaxCount: count(1_000_000)
    .default(8_192)
    .meta(
      about("Connections of the RPC port at one time; one more is closed unread.", { unit: "connections" }),
    ),
  streamMaxCount: count(1_000_000)
    .default(10_000)
    .meta(
      about("Calls that one connection of the RPC port may have open; one more is refused.", {
        unit: "calls",
      }),
    ),
  messageMaxBytes: z
    .int()
    .min(MESSAGE_MIN_BYTES)
    .max(256 * MiB)
    .default(limits.messageMaxBytes)
    .meta(about("Largest message of the RPC port, in and out; a larger one ends its call.")),
  keepaliveIntervalMs: milliseconds
    .default(10 * SECOND_MS)
    .meta(about("A connection of the RPC port that was silent for this long is asked for a sign of life.")),
  keepaliveTimeoutMs: milliseconds
    .default(10 * SECOND_MS)
    .meta(about("It is cut when none comes in this time.")),
  idleTimeoutMs: milliseconds
    .default(10 * MINUTE_MS)
    .meta(
      about(
        "A connection of the RPC port on which no call was open for this long is told to go, and cut if it does not.",
      ),
    ),
  httpConnectionMaxCount: count(1_000_000)
    .default(1_024)
    .meta(
      about("Connections of the HTTP port at one time; one more is closed unread.", { unit: "connections" }),
    ),
  httpRequestTimeoutMs: milliseconds
    .default(30 * SECOND_MS)
    .meta(about("A request on the HTTP port, headers and body, has to be here in this time.")),
});

/** See {@link listenSchema}. */
export type ListenSettings = Readonly<z.output<typeof listenSchema>>;
