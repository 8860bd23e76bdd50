import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Line, readLines } from "./line-reader.ts";
import { formatRowLine, parseRowLine } from "./row-line.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("lines of rows", () => {
  test("any bytes come back", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 20 }),
      fc.string({ unit: "binary", minLength: 1 }).map(utf8),
    );
    fc.assert(
      fc.property(bytes, bytes, (key, value) => {
        const line = formatRowLine({ key, value });
        expect(line.indexOf("\n")).toBe(line.length - 1);
        const row = parseRowLine(utf8(line.slice(0, -1)));
        expect([...row.key]).toEqual([...key]);
        expect([...row.value]).toEqual([...value]);
      }),
    );
  });

  test("text stays readable, other bytes are marked", () => {
    expect(formatRowLine({ key: utf8("a\n\ufeff"), value: utf8("Zürich") })).toBe(
      '{"key":"a\\n\ufeff","value":"Zürich"}\n',
    );
    expect(formatRowLine({ key: Uint8Array.of(0xff), value: utf8("") })).toBe(
      '{"keyBase64":"/w==","value":""}\n',
    );
  });

  test("what rdb scan --json prints is read too", () => {
    const row = parseRowLine(utf8('{"keyHex":"fF00","value":"v","version":7}'));
    expect([...row.key]).toEqual([0xff, 0]);
  });

  test.each([
    ["{", "is not JSON"],
    ["[]", "is not a JSON object"],
    ['{"key":"a"}', "must have exactly one of value, valueBase64 and valueHex, not 0"],
    ['{"key":"a","keyHex":"61","value":""}', "must have exactly one of key, keyBase64 and keyHex, not 2"],
    ['{"key":1,"value":""}', "has a key that is no string"],
    ['{"key":"","value":""}', "has a key of 0 bytes"],
    ['{"key":"\\ud800","value":""}', "has a key that is not well-formed text"],
    ['{"key":"a","valueBase64":"?"}', "has a valueBase64 that is not valid base64"],
    ['{"key":"a","valueHex":"0"}', "has a valueHex that is not valid hex"],
    ['{"key":"a","value":"","ttl":1}', 'has an unknown field "ttl"'],
    [`{"key":"${"k".repeat(4097)}","value":""}`, "has a key of 4097 bytes: it must have 1 to 4096"],
  ])("%s is refused", (line, message) => {
    expect(() => parseRowLine(utf8(line))).toThrow(message);
  });

  test("what is not UTF-8 is refused", () => {
    expect(() => parseRowLine(Uint8Array.of(0x22, 0xff, 0x22))).toThrow("is not UTF-8");
  });
});

async function* chunksOf(
  text: Uint8Array,
  cuts: readonly number[],
): AsyncGenerator<Uint8Array, void, undefined> {
  const places = [0, ...cuts.map((cut) => cut % (text.length + 1)).toSorted((a, b) => a - b), text.length];
  for (const [at, place] of places.entries()) {
    yield text.subarray(place, places[at + 1] ?? text.length);
  }
}

describe("lines of a stream", () => {
  test("are the same wherever the stream is cut, and reading can begin behind any of them", async () => {
    const all = fc.asyncProperty(
      fc.array(fc.constantFrom("", "a", "bcd", "ü")),
      fc.boolean(),
      fc.array(fc.nat()),
      async (texts, endsWithFeed, cuts) => {
        const whole = utf8(texts.join("\n") + (endsWithFeed ? "\n" : ""));
        const lines: Line[] = [];
        for await (const line of readLines(chunksOf(whole, cuts), { lineCount: 0, offset: 0 }, 10)) {
          lines.push({ ...line, bytes: Uint8Array.from(line.bytes) });
        }
        const expected = new TextDecoder().decode(whole).split("\n");
        if (expected.at(-1) === "") {
          expected.pop();
        }
        expect(lines.map(({ bytes }) => new TextDecoder().decode(bytes))).toEqual(expected);
        for (const [at, line] of lines.entries()) {
          const rest: Line[] = [];
          const from = { lineCount: line.number, offset: line.endOffset };
          for await (const later of readLines(chunksOf(whole.subarray(line.endOffset), []), from, 10)) {
            rest.push({ ...later, bytes: Uint8Array.from(later.bytes) });
          }
          expect(rest).toEqual(lines.slice(at + 1));
        }
      },
    );
    await fc.assert(all);
  });

  test("one that is too long is refused with its number", async () => {
    const reading = async (): Promise<void> => {
      for await (const line of readLines(chunksOf(utf8("ab\nabcdef"), []), { lineCount: 4, offset: 0 }, 5)) {
        expect(line.number).toBe(5);
      }
    };
    await expect(reading()).rejects.toMatchObject({
      message: "line 6 is longer than 5 bytes",
      details: { line: 6 },
    });
  });
});
