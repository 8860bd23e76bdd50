import { expect, test } from "vitest";
import { quoteBytes } from "./quote-bytes.ts";

test.each([
  ["plain text", [0x66, 0x6f, 0x6f, 0x20], '"foo "'],
  ["nothing", [], '""'],
  ["quotes and backslashes", [0x22, 0x5c], '"\\"\\\\"'],
  ["control characters", [0x0a, 0x09, 0x00, 0x7f], '"\\n\\t\\x00\\x7f"'],
  ["text beyond ASCII", [0xc3, 0xa9, 0xe2, 0x82, 0xac], '"é€"'],
  ["code points that do not print", [0xe2, 0x80, 0x8b], '"\\u200b"'],
  ["bytes that are no UTF-8", [0xff, 0x61, 0xc3], '"\\xffa\\xc3"'],
  ["an overlong encoding", [0xc0, 0x80], '"\\xc0\\x80"'],
])("quotes %s", (_what, bytes, quoted) => {
  expect(quoteBytes(Uint8Array.from(bytes))).toBe(quoted);
});
