import { wireContract } from "@flaredb/rdb-wire/testing";
import { describe, expect, test } from "vitest";
import { TwoHosts } from "./testing/two-hosts.ts";

describe("the Wire contract, on the simulated network", () => {
  for (const { name, run } of wireContract) {
    test(name, async () => {
      for (const seed of [1, 2, 3]) {
        await expect(run(new TwoHosts(seed).fixture)).resolves.toBeUndefined();
      }
    });
  }
});
