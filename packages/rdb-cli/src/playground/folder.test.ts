import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { inspectFolder, inspectMembers, newClusterFile, prepareFolders } from "./folder.ts";
import { type ClusterPlan, planCluster } from "./plan.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rdb-folder-"));
});
afterEach(() => rm(folder, { recursive: true }));

const plan = (storeCount: number): ClusterPlan =>
  planCluster({ dataFolder: folder, storeCount, basePort: 7400, splitKeys: [] });

async function makeCluster(storeCount: number) {
  const file = newClusterFile(storeCount, ["m"]);
  await prepareFolders(plan(storeCount), file);
  return file;
}

describe("a data folder", () => {
  test("that is empty or missing is a new cluster's", async () => {
    expect(await inspectFolder(folder)).toBeUndefined();
    expect(await inspectFolder(join(folder, "none"))).toBeUndefined();
  });

  test("says what its cluster is", async () => {
    const file = await makeCluster(2);
    expect(await inspectFolder(folder)).toEqual(file);
    await inspectMembers(plan(2), file);
    expect(readdirSync(folder).sort()).toEqual(["logs", "pd", "playground.json", "store-1", "store-2"]);
  });

  test("takes further Stores", async () => {
    const file = await makeCluster(1);
    await inspectMembers(plan(3), file);
  });

  test("with other things in it is refused and left as it is", async () => {
    writeFileSync(join(folder, "holiday.jpg"), "");
    await expect(inspectFolder(folder)).rejects.toMatchObject({
      code: "RDB_DATA_FOREIGN",
      message: expect.stringContaining("--data"),
    });
    expect(readdirSync(folder)).toEqual(["holiday.jpg"]);
  });

  test("that is a file is refused", async () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    await expect(inspectFolder(file)).rejects.toMatchObject({ code: "RDB_DATA_FOREIGN" });
  });

  test("of a newer layout is refused", async () => {
    writeFileSync(join(folder, "playground.json"), JSON.stringify({ layout: 2, other: true }));
    await expect(inspectFolder(folder)).rejects.toMatchObject({
      code: "RDB_DATA_FORMAT",
      message: expect.stringContaining("has layout 2, this program knows 1"),
    });
  });

  test.each(["", "{", "[]", '{"layout":1}'])("whose description is %j is called damaged", async (text) => {
    writeFileSync(join(folder, "playground.json"), text);
    await expect(inspectFolder(folder)).rejects.toMatchObject({ code: "RDB_DATA_CORRUPT" });
  });
});

describe("a member's folder", () => {
  test("of another cluster is refused", async () => {
    const file = await makeCluster(2);
    writeFileSync(join(folder, "store-2", "PLAYGROUND"), "another\n");
    await expect(inspectMembers(plan(2), file)).rejects.toMatchObject({
      code: "RDB_DATA_FOREIGN",
      message: expect.stringContaining("store-2 belongs to another cluster"),
    });
  });

  test("of a newer format is refused", async () => {
    const file = await makeCluster(1);
    writeFileSync(join(folder, "store-1", "FORMAT"), "flaredb-data 2\n");
    await inspectMembers(plan(1), file);
    writeFileSync(join(folder, "store-1", "FORMAT"), "flaredb-data 4\n");
    await expect(inspectMembers(plan(1), file)).rejects.toMatchObject({ code: "RDB_DATA_FORMAT" });
  });

  test("that is nobody's is refused", async () => {
    const file = await makeCluster(1);
    mkdirSync(join(folder, "store-2"));
    writeFileSync(join(folder, "store-2", "FORMAT"), "");
    await expect(inspectMembers(plan(2), file)).rejects.toMatchObject({ code: "RDB_DATA_FOREIGN" });
  });

  test("of PD must be there when Stores are", async () => {
    const file = await makeCluster(1);
    await rm(join(folder, "pd"), { recursive: true });
    await expect(inspectMembers(plan(1), file)).rejects.toThrow("pd is missing though there are Stores");
  });
});
