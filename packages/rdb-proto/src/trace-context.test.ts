import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeTraceContext, encodeTraceContext, parseTraceparent } from "./trace-context.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const spanId = "00f067aa0ba902b7";
const context = { traceId, spanId };

/** As it is on the wire; the test fails where there is nothing to send. */
function encoded(): Uint8Array {
  const bytes = encodeTraceContext(context);
  expect(bytes).toHaveLength(25);
  return bytes ?? new Uint8Array();
}

describe("trace context on the wire", () => {
  it("is read as it was written", () => {
    expect(decodeTraceContext(encoded())).toEqual(context);
  });

  it("is read where it is a part of a larger message, and where a newer program has more to say", () => {
    const message = Buffer.concat([new Uint8Array(3), encoded(), Uint8Array.of(7, 7)]);
    expect(decodeTraceContext(message.subarray(3))).toEqual(context);
  });

  it.each([
    ["an id that is all 0", { traceId: "0".repeat(32), spanId }],
    ["a span id that is all 0", { traceId, spanId: "0".repeat(16) }],
    ["an id of another length", { traceId: "4bf9", spanId }],
    ["what is no number", { traceId, spanId: "not-a-span-id-at" }],
  ])("of %s nothing is sent", (_, broken) => {
    expect(encodeTraceContext(broken)).toBeUndefined();
  });

  it("is passed over when it is short, of no trace, or of one that is not sampled", () => {
    const unsampled = Uint8Array.from(encoded());
    unsampled[24] = 0xfe;
    expect(decodeTraceContext(unsampled)).toBeUndefined();
    expect(decodeTraceContext(new Uint8Array(25).fill(1, 24))).toBeUndefined();
    for (let length = 0; length < 25; length++) {
      expect(decodeTraceContext(encoded().subarray(0, length))).toBeUndefined();
    }
  });

  it("whatever the bytes: never an error, and what is read has valid ids", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const read = decodeTraceContext(bytes);
        if (read !== undefined) {
          expect(decodeTraceContext(encodeTraceContext(read) as Uint8Array)).toEqual(read);
        }
      }),
    );
  });
});

describe("a traceparent header", () => {
  it.each([
    [`00-${traceId}-${spanId}-01`],
    [`00-${traceId}-${spanId}-03`],
    [`cc-${traceId}-${spanId}-01-what-a-later-version-says`],
  ])("%s is read", (header) => {
    expect(parseTraceparent(header)).toEqual(context);
  });

  it.each([
    ["", "nothing"],
    [`00-${traceId}-${spanId}-00`, "not sampled"],
    [`ff-${traceId}-${spanId}-01`, "no version"],
    [`00-${traceId}-${spanId}-01-more`, "more than version 00 has"],
    [`00-${traceId.toUpperCase()}-${spanId}-01`, "capitals"],
    [`00-${"0".repeat(32)}-${spanId}-01`, "no trace"],
    [`00-${traceId}-${"0".repeat(16)}-01`, "no span"],
    [`00-${traceId}-${spanId}`, "no flags"],
  ])("%s is passed over: %s", (header) => {
    expect(parseTraceparent(header)).toBeUndefined();
  });
});
