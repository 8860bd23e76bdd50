import { newMessage } from "@flaredb/rdb-raft";
import { index } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { AppendOrder } from "./append-order.ts";

const answer = (at: number) => newMessage({ type: "MsgStorageAppendResp", index: index(at) });

describe("AppendOrder", () => {
  it("answers work at once that has nothing before it", () => {
    const order = new AppendOrder();
    const work = order.begin([answer(1), answer(2)]);
    expect(order.isEmpty).toBe(false);
    expect(order.end(work).map((message) => message.index)).toEqual([1, 2]);
    expect(order.isEmpty).toBe(true);
  });

  it("holds back the answers to what ended sooner than something before it", () => {
    const order = new AppendOrder();
    const [snapshot, first, second, third] = [1, 2, 3, 4].map((at) => order.begin([answer(at)]));
    if (snapshot === undefined || first === undefined || second === undefined || third === undefined) {
      throw new Error("four pieces of work were begun");
    }
    expect(order.end(first)).toEqual([]);
    expect(order.end(third)).toEqual([]);
    expect(order.end(snapshot).map((message) => message.index)).toEqual([1, 2]);
    expect(order.isEmpty).toBe(false);
    expect(order.end(second).map((message) => message.index)).toEqual([3, 4]);
  });
});
