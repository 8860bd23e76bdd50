import { describe, expect, it } from "vitest";
import { pdLimits } from "../limits.ts";
import { DiskRoom } from "./disk-room.ts";

const { fullDiskBytes } = pdLimits;

describe("DiskRoom", () => {
  it("is full below the mark, and no longer once there is room again", () => {
    const room = new DiskRoom();
    room.observe(fullDiskBytes, true, 0);
    expect(room.isFull).toBe(false);
    room.observe(fullDiskBytes - 1, true, 1_000);
    expect(room.isFull).toBe(true);
    room.observe(fullDiskBytes, true, 2_000);
    expect(room.isFull).toBe(false);
  });

  it("has a member hand over that leads, also when it begins to only later", () => {
    const room = new DiskRoom();
    expect(room.observe(fullDiskBytes, true, 0)).toBe(false);
    expect(room.observe(0, false, 1_000)).toBe(false);
    expect(room.observe(0, true, 100_000)).toBe(true);
    expect(room.observe(0, true, 101_000)).toBe(true);
  });

  it("lets it lead for a minute when nobody else does: all disks may be full", () => {
    const room = new DiskRoom();
    const answers = Array.from({ length: 120 }, (_, second) => room.observe(0, true, 1_000 * second));
    const asked = answers.flatMap((isAsked, second) => (isAsked ? [second] : []));
    expect(asked).toEqual([0, 1, 2, 3, 4, 60, 61, 62, 63, 64]);
  });
});
