import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster } from "./cluster.ts";
import { waitFor } from "./wait.ts";

// What PD tells over HTTP of what its Stores serve: the figures behind the dashboard.

const TIMEOUT_MS = 30_000;

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start({ initialRegions: "m" });
  await cluster.waitUntilServing();
});
afterAll(() => cluster?.dispose());

async function ask<Answer>(path: string): Promise<Answer> {
  const response = await fetch(`${cluster.pdHttpUrl}/api/v1${path}`);
  expect([path, response.status]).toEqual([path, 200]);
  return (await response.json()) as Answer;
}

interface Flows {
  readonly points: readonly {
    readonly readsPerSecond: number;
    readonly writesPerSecond: number;
    readonly readP99Ms: number | null;
    readonly writeP99Ms: number | null;
  }[];
}

interface HeatMap {
  readonly edges: readonly { readonly key: string }[];
  readonly values: readonly (readonly number[])[];
}

test("throughput, latency and the heat of each Region are those of the load", async () => {
  const client = await cluster.connect();
  let isOver = false;
  const load = (async () => {
    for (let at = 0; !isOver; at++) {
      await client.put(`n/${at % 100}`, "x".repeat(100));
      await client.get(`n/${at % 100}`);
    }
  })();
  try {
    const busy = await waitFor("a point of the load", TIMEOUT_MS, async () => {
      const { points } = await ask<Flows>("/flows");
      return points.find(({ readsPerSecond, writesPerSecond }) => readsPerSecond > 1 && writesPerSecond > 1);
    });
    expect(busy.readP99Ms).toBeGreaterThan(0);
    expect(busy.writeP99Ms).toBeGreaterThan(0);
    const heat = await waitFor("heat of the second Region", TIMEOUT_MS, async () => {
      const map = await ask<HeatMap>("/heatmap?kind=writtenKeys");
      return map.values.some((column) => (column[1] ?? 0) > 0) ? map : undefined;
    });
    expect(heat.edges.map(({ key }) => key)).toEqual(["", "m", ""]);
    // Nothing was written before "m".
    expect(heat.values.every((column) => column[0] === 0)).toBe(true);
  } finally {
    isOver = true;
    await load;
  }
});

test("rows are read across Regions, and none are left out", async () => {
  const client = await cluster.connect();
  const keys = ["data/a", "data/b", "zeta/c"];
  for (const key of keys) {
    await client.put(key, `value of ${key}`);
  }
  const found: string[] = [];
  let path = "/data?limit=2";
  for (;;) {
    const page = await ask<{
      rows: { key: string; valueBase64: string }[];
      nextKeyHex: string | null;
    }>(path);
    for (const { key, valueBase64 } of page.rows) {
      if (keys.includes(key)) {
        expect(Buffer.from(valueBase64, "base64").toString()).toBe(`value of ${key}`);
        found.push(key);
      }
    }
    if (page.nextKeyHex === null) {
      break;
    }
    path = `/data?limit=2&startKeyHex=${page.nextKeyHex}`;
  }
  expect(found).toEqual(keys);
});
