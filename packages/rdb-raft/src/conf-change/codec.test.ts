import { peerId } from "@flaredb/rdb-base";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ConfChangeTransition, ConfChangeType } from "../messages.ts";
import { decodeConfChange, encodeConfChange } from "./codec.ts";
import type { ConfChange } from "./conf-change.ts";

const types: readonly ConfChangeType[] = ["AddNode", "RemoveNode", "UpdateNode", "AddLearnerNode"];
const transitions: readonly ConfChangeTransition[] = ["Auto", "JointImplicit", "JointExplicit"];
const single = fc.record({
  type: fc.constantFrom(...types),
  nodeId: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }).map(peerId),
});
const context = fc.uint8Array({ maxLength: 300 });

const change: fc.Arbitrary<ConfChange> = fc.oneof(
  fc.tuple(single, context).map(([each, bytes]) => ({ version: 1, ...each, context: bytes }) as const),
  fc.record({
    version: fc.constant(2 as const),
    transition: fc.constantFrom(...transitions),
    changes: fc.array(single, { maxLength: 6 }),
    context,
  }),
);

describe("the data of a conf change", () => {
  it("is read as it was written", () => {
    fc.assert(
      fc.property(change, (original) => {
        const type = original.version === 1 ? "ConfChange" : "ConfChangeV2";
        expect(decodeConfChange(type, encodeConfChange(original))).toEqual(original);
      }),
    );
  });

  it("has the bytes of protobuf", () => {
    const first = { type: "AddLearnerNode", nodeId: peerId(300) } as const;
    const bytes = Uint8Array.of(1, 2);
    expect([...encodeConfChange({ version: 1, ...first, context: bytes })]).toEqual([
      0x08, 0, 0x10, 3, 0x18, 0xac, 0x02, 0x22, 2, 1, 2,
    ]);
    const none = new Uint8Array(0);
    const v2 = { version: 2, transition: "JointExplicit", changes: [first], context: none } as const;
    expect([...encodeConfChange(v2)]).toEqual([0x08, 2, 0x12, 5, 0x08, 3, 0x10, 0xac, 0x02]);
  });

  it("that is empty leaves a joint configuration", () => {
    const none = new Uint8Array(0);
    expect(decodeConfChange("ConfChangeV2", none)).toEqual({
      version: 2,
      transition: "Auto",
      changes: [],
      context: none,
    });
  });

  it("is not looked for in a normal entry", () => {
    expect(decodeConfChange("Normal", Uint8Array.of(1, 2, 3))).toBeUndefined();
  });

  it.each([
    { name: "ends too early", data: [0x08] },
    { name: "has bytes that reach past its end", data: [0x08, 0, 0x12, 9, 1] },
    { name: "has an unknown transition", data: [0x08, 7] },
    { name: "has an unknown type of change", data: [0x08, 0, 0x12, 2, 0x08, 9] },
    { name: "has an unknown wire type", data: [0x0d, 0, 0, 0, 0] },
  ])("that $name breaks an invariant", ({ data }) => {
    expect(() => decodeConfChange("ConfChangeV2", Uint8Array.from(data))).toThrow(/conf change/);
  });
});
