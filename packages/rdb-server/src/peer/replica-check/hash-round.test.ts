import { peerId } from "@flaredb/rdb-base";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { HashRound } from "./hash-round.ts";

const hash = (name: string): Uint8Array => new TextEncoder().encode(name);

function roundOf(hashes: Readonly<Record<number, string>>): HashRound {
  const round = new HashRound(7);
  for (const [id, name] of Object.entries(hashes)) {
    round.take(peerId(Number(id)), hash(name));
  }
  return round;
}

const voters = [1, 2, 3].map(peerId);

test("is decided as soon as most voters agree, and names those that differ, learners too", () => {
  expect(roundOf({ 1: "a" }).verdict(voters)).toEqual({ kind: "open" });
  expect(roundOf({ 1: "a", 3: "a" }).verdict(voters)).toEqual({
    kind: "majority",
    hash: hash("a"),
    differing: [],
  });
  expect(roundOf({ 1: "a", 2: "b", 3: "b", 9: "c" }).verdict(voters)).toEqual({
    kind: "majority",
    hash: hash("b"),
    differing: [1, 9],
  });
});

test("learners do not decide", () => {
  expect(roundOf({ 1: "a", 8: "a", 9: "a" }).verdict(voters)).toEqual({ kind: "open" });
});

test("is divided when all were heard of and none has a majority", () => {
  expect(roundOf({ 1: "a", 2: "b", 3: "c" }).verdict(voters)).toEqual({ kind: "divided" });
  expect(roundOf({ 1: "a", 2: "b" }).verdict(voters.slice(0, 2))).toEqual({ kind: "divided" });
});

test("never finds a majority for two hashes, in whatever order they come", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 7 }), (names) => {
      const ids = names.map((_, place) => peerId(place + 1));
      const found = new Set<string>();
      const round = new HashRound(7);
      for (const [place, name] of names.entries()) {
        round.take(ids[place] as (typeof ids)[number], hash(name));
        const verdict = round.verdict(ids);
        if (verdict.kind === "majority") {
          found.add(new TextDecoder().decode(verdict.hash));
        }
      }
      const most = ["a", "b", "c"].filter(
        (name) => names.filter((own) => own === name).length * 2 > names.length,
      );
      expect([...found]).toEqual(most);
    }),
  );
});
