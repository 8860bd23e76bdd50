import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeUtf8, formatBytes, formatDuration, printable } from "./text.ts";

test("text is printed as it is, and nothing else is", () => {
  expect(printable(Buffer.from("city/FR/Besançon 北京"))).toBe("city/FR/Besançon 北京");
  expect(printable(Buffer.from([0x61, 0x00, 0x0a, 0x1b]))).toBe("a\\x00\\x0a\\x1b");
  expect(printable(Buffer.from([0x61, 0xff]))).toBe("a\\xff");
  expect(printable(Buffer.from("\\x00"))).toBe("\\x5cx00");
  expect(printable(Buffer.from("a\u202eb"))).toBe("a\\xe2\\x80\\xaeb");
});

test("different bytes are printed differently, on one line", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 6 }), fc.uint8Array({ maxLength: 6 }), (a, b) => {
      fc.pre(Buffer.compare(a, b) !== 0);
      expect(printable(a)).not.toBe(printable(b));
      expect(printable(a)).not.toMatch(/\p{Cc}/u);
    }),
  );
});

test("a byte order mark is kept", () => {
  expect(decodeUtf8(Buffer.from([0xef, 0xbb, 0xbf, 0x61]))).toBe("\ufeffa");
});

test("sizes and times are short", () => {
  expect([0, 1023, 1024, 1536, 96 * 1024 * 1024].map(formatBytes)).toEqual([
    "0 B",
    "1023 B",
    "1.0 KiB",
    "1.5 KiB",
    "96 MiB",
  ]);
  expect([-5, 3_000, 119_000, 600_000, 18_000_000, 400_000_000].map(formatDuration)).toEqual([
    "0 s",
    "3 s",
    "119 s",
    "10 min",
    "5 h",
    "5 d",
  ]);
});
