import { describe, expect, test } from "vitest";
import { bytesOfBase64, shownValue, typedText, typedValue } from "./value-view.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("a value is shown", () => {
  test("by itself as what it is", () => {
    expect(shownValue(bytes('{"people":7}'), "auto")).toEqual({ form: "json", text: '{\n  "people": 7\n}' });
    expect(shownValue(bytes("größer"), "auto")).toEqual({ form: "text", text: "größer" });
    expect(shownValue(bytes("17"), "auto")).toEqual({ form: "text", text: "17" });
    expect(shownValue(new Uint8Array([0, 1, 65]), "auto")).toEqual({
      form: "hex",
      text: `000000  00 01 41${" ".repeat(39)}  ··A`,
    });
  });

  test("as what people want, where it is that", () => {
    expect(shownValue(bytes("17"), "json")).toEqual({ form: "json", text: "17" });
    expect(shownValue(bytes('{"cut": '), "json").form).toBe("text");
    expect(shownValue(bytes('{"a":1}'), "text")).toEqual({ form: "text", text: '{"a":1}' });
    expect(shownValue(bytes("ab"), "hex").text).toContain("61 62");
    expect(shownValue(new Uint8Array([0xff]), "text").form).toBe("hex");
  });

  test("empty as an empty text", () => {
    expect(shownValue(new Uint8Array(), "auto")).toEqual({ form: "text", text: "" });
  });
});

describe("a value is typed", () => {
  test("as text, as JSON that is some, as digits", () => {
    expect(typedValue("é", "text")).toEqual({ hex: "c3a9" });
    expect(typedValue('{"a": 1}', "json")).toEqual({ hex: "7b2261223a20317d" });
    expect(typedValue("00 FF\n41", "hex")).toEqual({ hex: "00ff41" });
    expect(typedValue("", "text")).toEqual({ hex: "" });
  });

  test("and begins as what is there, as it is", () => {
    expect(typedText(bytes('{"a":1}'), "json")).toBe('{"a":1}');
    expect(typedText(bytes("é"), "text")).toBe("é");
    expect(typedText(new Uint8Array([0, 255]), "hex")).toBe("00ff");
  });

  test("and refused with why", () => {
    expect(typedValue('{"a": ', "json")).toEqual({ problem: expect.stringMatching(/^Not JSON: ./) });
    expect(typedValue("0", "hex")).toEqual({ problem: "Not an even number of hexadecimal digits." });
    expect(typedValue("zz", "hex")).toMatchObject({ problem: expect.anything() });
  });
});

test("base64 is taken back to its bytes", () => {
  expect([...bytesOfBase64("AP9B")]).toEqual([0, 255, 65]);
});
