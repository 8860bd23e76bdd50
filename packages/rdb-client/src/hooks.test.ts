import { describe, expect, test } from "vitest";
import type { RequestEvent, RetryEvent } from "./hooks.ts";
import { scene } from "./testing/connect.ts";

function recorder() {
  const retries: RetryEvent[] = [];
  const requests: RequestEvent[] = [];
  return {
    retries,
    requests,
    hooks: {
      onRetry: (event: RetryEvent) => void retries.push(event),
      onRequest: (event: RequestEvent) => void requests.push(event),
    },
  };
}

describe("SPEC-U2: hooks", () => {
  test("a request that is answered at once", async () => {
    const { hooks, requests, retries } = recorder();
    const { client, until } = await scene({ connect: { hooks } });
    await until(client.put("k", "v"));
    expect(requests).toEqual([
      {
        operation: "put",
        outcome: "ok",
        durationMs: expect.toSatisfy((ms: number) => ms > 0 && ms < 10),
        attemptCount: 1,
        retries: [],
        regionId: 1,
        storeId: 1,
      },
    ]);
    expect(retries).toEqual([]);
  });

  test("a retry tells why, and where to", async () => {
    const { hooks, requests, retries } = recorder();
    const { client, cluster, until } = await scene({ connect: { hooks } });
    await until(client.put("k", "v"));
    cluster.moveLeader("k", 2);
    await until(client.get("k"));
    expect(retries).toMatchObject([
      { operation: "get", attempt: 2, reason: "RDB_NOT_LEADER", regionId: 1, storeId: 2 },
    ]);
    expect(requests.at(-1)).toMatchObject({
      operation: "get",
      outcome: "ok",
      attemptCount: 2,
      retries: ["RDB_NOT_LEADER"],
      storeId: 2,
    });
  });

  test("what a call over several Regions did is told for each", async () => {
    const { hooks, requests } = recorder();
    const { client, until } = await scene({ splitKeys: ["m"], connect: { hooks } });
    await until(client.batchPut(["a", "z"].map((key) => ({ key, value: key }))));
    expect(requests.map(({ operation, regionId }) => [operation, regionId])).toEqual([
      ["batchPut", 1],
      ["batchPut", 2],
    ]);
  });

  test("a failure has its code and took as long as it took", async () => {
    const { hooks, requests } = recorder();
    const { client, cluster, failure } = await scene({ connect: { hooks } });
    cluster.moveLeader("k", undefined);
    await failure(client.put("k", "v", { deadlineMs: 300 }));
    expect(requests).toMatchObject([{ outcome: "RDB_DEADLINE_EXCEEDED", durationMs: 300 }]);
    expect(requests[0]?.attemptCount).toBe((requests[0]?.retries.length ?? 0) + 1);
    expect(requests[0]?.retries).toContain("RDB_NOT_LEADER");
  });

  test("reasons are kept up to a limit", async () => {
    const { hooks, requests } = recorder();
    const { client, cluster, failure } = await scene({ connect: { hooks } });
    cluster.leaderStore("k").intercept = () => ({
      case: "serverIsBusy",
      value: { reason: "full", backoffMs: 1 },
    });
    await failure(client.get("k", { deadlineMs: 600 }));
    expect(requests[0]?.retries).toHaveLength(64);
    expect(requests[0]?.attemptCount).toBeGreaterThan(65);
  });

  test("what was refused before it was sent is told too", async () => {
    const { hooks, requests } = recorder();
    const { client, failure } = await scene({ connect: { hooks } });
    client.close();
    await failure(client.get("k"));
    expect(requests).toMatchObject([
      { operation: "get", outcome: "RDB_CLOSED", attemptCount: 0, regionId: undefined, storeId: undefined },
    ]);
  });

  test("a hook that fails changes no call, and is told of once", async () => {
    const warnings: Error[] = [];
    const bothWarned = new Promise<void>((resolve) => {
      process.on("warning", function listen(warning) {
        const isOfHooks = "code" in warning && warning.code === "RDB_HOOK_FAILED";
        if (isOfHooks && warnings.push(warning) === 2) {
          process.off("warning", listen);
          resolve();
        }
      });
    });
    const { client, cluster, until } = await scene({
      connect: {
        hooks: {
          onRequest: () => {
            throw new Error("broken hook");
          },
          // Types forbid what a program in JavaScript may do.
          onRetry: (() => Promise.reject(new Error("broken promise"))) as () => void,
        },
      },
    });
    await until(client.put("k", "v"));
    cluster.moveLeader("k", 2);
    expect((await until(client.get("k")))?.text()).toBe("v");
    await bothWarned;
    expect(warnings).toMatchObject([
      { code: "RDB_HOOK_FAILED", message: expect.stringMatching(/onRequest.*broken hook$/) },
      { code: "RDB_HOOK_FAILED", message: expect.stringMatching(/onRetry.*broken promise$/) },
    ]);
  });
});
