import { type RdbError, clusterVersions, silentLogger, systemClock } from "@flaredb/rdb-base";
import type { Engine } from "@flaredb/rdb-storage";
import { beforeEach, describe, expect, it } from "vitest";
import { testEngine } from "../testing/index.ts";
import { ClusterVersion, entryRefusal } from "./cluster-version.ts";

const { oldest, newest } = clusterVersions;

let engine: Engine;
let noted: number[];
let noteFails: boolean;
let tooOld: RdbError[];

beforeEach(() => {
  engine = testEngine(systemClock);
  noted = [];
  noteFails = false;
  tooOld = [];
});

function open(known?: number): ClusterVersion {
  return new ClusterVersion({
    ...{ engine, logger: silentLogger, newest: known },
    noteVersion: (version) => {
      noted.push(version);
      return noteFails ? Promise.reject(new Error("the disk is full")) : Promise.resolve();
    },
    onTooOld: (error) => tooOld.push(error),
  });
}

describe("the cluster version of a Store", () => {
  it("is the oldest until PD says more, and is remembered without PD", async () => {
    const version = open();
    expect(version.current).toBe(oldest);
    version.learn(0);
    version.learn(newest);
    // Older programs are to be kept from the data before anything new is in it.
    expect(version.current).toBe(oldest);
    await version.settled();
    expect(version.current).toBe(newest);
    expect(noted).toEqual([newest]);
    expect(open().current).toBe(newest);
  });

  it("never falls", async () => {
    const version = open();
    version.learn(newest);
    version.learn(oldest);
    await version.settled();
    expect(version.current).toBe(newest);
  });

  it("stays when it cannot be noted, and is learned when it is said again", async () => {
    noteFails = true;
    const version = open();
    version.learn(newest);
    await version.settled();
    expect(version.current).toBe(oldest);
    noteFails = false;
    version.learn(newest);
    await version.settled();
    expect(version.current).toBe(newest);
  });

  it("ends a program that the cluster left behind, and keeps it from starting", async () => {
    const version = open(oldest);
    version.learn(newest);
    expect(tooOld).toEqual([expect.objectContaining({ code: "RDB_VERSION_TOO_OLD" })]);
    const newer = open();
    newer.learn(newest);
    await newer.settled();
    expect(() => open(oldest)).toThrow(expect.objectContaining({ code: "RDB_VERSION_TOO_OLD" }));
  });
});

it("says why an entry waits", () => {
  expect(entryRefusal("computeHash", { current: oldest, newest })).toContain("needs cluster version 2");
  expect(entryRefusal("computeHash", { current: newest, newest })).toBeUndefined();
  expect(entryRefusal("split", { current: oldest, newest })).toBeUndefined();
});
