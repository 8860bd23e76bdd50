import { expect, test } from "vitest";
import { clusterVersions, saidClusterVersion } from "./cluster-version.ts";

test("who says nothing of versions knows the oldest", () => {
  expect(saidClusterVersion(0)).toBe(clusterVersions.oldest);
  expect(saidClusterVersion(7)).toBe(7);
});
