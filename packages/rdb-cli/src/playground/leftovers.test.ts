import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { waitForLeftovers } from "./leftovers.ts";
import { runningMember } from "./member.ts";
import { type MemberPlan, membersOf, planCluster } from "./plan.ts";
import { writeProcessMark } from "./process-mark.ts";

let folder = "";
let members: MemberPlan[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rdb-leftovers-"));
  members = membersOf(planCluster({ dataFolder: folder, storeCount: 1, basePort: 7400, splitKeys: [] }));
  for (const member of members) {
    mkdirSync(member.folder);
  }
});
afterEach(() => rm(folder, { recursive: true }));

function noteProcess(pid: number): void {
  writeProcessMark(join(folder, "store-1", "PID"), pid);
}

test("where nothing runs there is nothing to wait for", async () => {
  await waitForLeftovers(members, 0);
});

test("a process that still runs is waited for until it is gone", async () => {
  const child = spawn(process.execPath, ["-e", "process.stdin.resume()"]);
  noteProcess(child.pid as number);
  let isOver = false;
  const waiting = waitForLeftovers(members, 10_000).then(() => {
    isOver = true;
  });
  await once(child, "spawn");
  expect(isOver).toBe(false);
  child.stdin.end();
  await waiting;
  expect(isOver).toBe(true);
  expect(await runningMember(members[1] as MemberPlan)).toBeUndefined();
});

test("one that does not go is named, with what to do", async () => {
  noteProcess(process.pid);
  await expect(waitForLeftovers(members, 0)).rejects.toMatchObject({
    code: "RDB_DATA_LOCKED",
    message: expect.stringContaining(`with \`kill ${process.pid}\``),
  });
});
