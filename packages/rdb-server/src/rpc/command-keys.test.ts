import { create } from "@bufbuild/protobuf";
import { type Region, regionId } from "@flaredb/rdb-base";
import { type KvRequest, KvRequestSchema } from "@flaredb/rdb-proto";
import { expect, test } from "vitest";
import { checkOneRegion, holdsRouteKey, routeKeyOf } from "./command-keys.ts";

type Command = Exclude<KvRequest["command"], { case: undefined }>;
const bytes = (text: string) => new TextEncoder().encode(text);

function command(name: Command["case"], value: object): Command {
  return create(KvRequestSchema, { command: { case: name, value } as never }).command as Command;
}

function region(startKey: string, endKey: string): Region {
  return {
    id: regionId(1),
    startKey: bytes(startKey),
    endKey: bytes(endKey),
    epoch: { confVer: 1, version: 1 },
    peers: [],
  };
}

test.each<[string, string, string, boolean]>([
  ["", "m", "", false],
  ["m", "", "", true],
  ["", "", "", true],
  ["", "m", "m", true],
  ["m", "", "m", false],
  ["m", "", "n", true],
  ["", "m", "a", true],
  ["m", "t", "t", true],
  ["m", "t", "u", false],
  ["m", "t", "m", false],
])('["%s", "%s") holds what is just before "%s": %s', (start, end, key, expected) => {
  expect(holdsRouteKey(region(start, end), { key: bytes(key), before: true })).toBe(expected);
});

test("a scan begins at its start, a reverse one just before its end", () => {
  const range = { startKey: bytes("a"), endKey: bytes("z") };
  expect(routeKeyOf(command("scan", range))).toEqual({ key: bytes("a"), before: false });
  expect(routeKeyOf(command("scan", { ...range, reverse: true }))).toEqual({ key: bytes("z"), before: true });
});

test("SPEC-M3: keys of several Regions are refused, naming two of them", () => {
  const put = { operation: { case: "put", value: { key: bytes("c") } } };
  const inside: Command[] = [
    command("get", { key: bytes("a") }),
    command("batchPut", { rows: [{ key: bytes("a") }, { key: bytes("b") }] }),
    command("conditionalBatch", { conditions: [{ key: bytes("a") }], mutations: [put] }),
    command("deleteRange", { startKey: bytes("a"), endKey: bytes("m") }),
    command("scan", { startKey: bytes("a"), endKey: bytes("z") }),
  ];
  for (const each of inside) {
    expect(() => checkOneRegion(each, region("", "m"))).not.toThrow();
  }
  const across: [Command, string][] = [
    [command("batchGet", { keys: [bytes("a"), bytes("n")] }), 'keys "a" and "n" lie in different Regions'],
    [command("deleteRange", { startKey: bytes("a"), endKey: bytes("n") }), 'keys "a" and "n"'],
    [
      command("conditionalBatch", {
        conditions: [{ key: bytes("a") }],
        mutations: [{ operation: { case: "delete", value: bytes("n") } }],
      }),
      'keys "a" and "n"',
    ],
  ];
  for (const [each, message] of across) {
    expect(() => checkOneRegion(each, region("", "m"))).toThrow(message);
  }
});
