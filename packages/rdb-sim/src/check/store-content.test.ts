import { type KeyRange, regionId } from "@flaredb/rdb-base";
import { expect, test } from "vitest";
import { EMPTY_HASH } from "./hash.ts";
import { StoreContent } from "./store-content.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const range = (start: string, end: string): KeyRange => ({ startKey: bytes(start), endKey: bytes(end) });

test("rows of a Region that is being destroyed go from the Region that has their keys by now", () => {
  const [source, target] = [regionId(2), regionId(4)];
  const content = new StoreContent();
  content.setRegion(source, range("a", "m"));
  content.setRegion(target, range("m", ""));
  content.write("data", bytes("b"), bytes("old"));
  content.write("data", bytes("n"), bytes("kept"));
  const kept = content.hashOf(target);
  content.setRegion(target, range("a", ""));
  content.leaveRegion(source);
  expect(content.regionOf("data", bytes("b"))).toBe(target);
  content.deleteRange("data", range("a", "m"));
  expect(content.hashOf(target)).toBe(kept);
  content.removeRegion(source);
  content.deleteRange("data", range("", ""));
  expect(content.hashOf(target)).toBe(EMPTY_HASH);
});
