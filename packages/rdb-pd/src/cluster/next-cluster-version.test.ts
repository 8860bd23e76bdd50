import { clusterVersions } from "@flaredb/rdb-base";
import { describe, expect, test } from "vitest";
import { nextClusterVersion } from "./next-cluster-version.ts";

const { oldest, newest } = clusterVersions;
const store = (id: number, clusterVersion: number | undefined) => ({ name: `Store ${id}`, clusterVersion });

describe("the cluster version", () => {
  test("is the newest when all know it", () => {
    expect(nextClusterVersion(oldest, [store(1, newest), store(2, newest)])).toEqual({
      version: newest,
      waitsFor: [],
    });
  });

  test("waits for each program that is older, and says for which", () => {
    expect(nextClusterVersion(oldest, [store(1, newest), store(2, oldest)])).toEqual({
      version: oldest,
      waitsFor: [`the program of Store 2 knows version ${oldest}`],
    });
  });

  test("waits for who has not said", () => {
    const next = nextClusterVersion(oldest, [store(1, newest), store(2, undefined)]);
    expect(next.version).toBe(oldest);
    expect(next.waitsFor).toEqual(["Store 2 has not said yet what its program knows"]);
  });

  test("is never more than this program knows, and never falls", () => {
    expect(nextClusterVersion(oldest, [store(1, newest + 5)]).version).toBe(newest);
    expect(nextClusterVersion(newest, [store(1, oldest)]).version).toBe(newest);
  });
});
