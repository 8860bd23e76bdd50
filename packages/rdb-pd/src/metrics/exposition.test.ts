import { metricSections } from "@flaredb/rdb-metrics";
import { type ParsedMetric, parseExposition } from "@flaredb/rdb-metrics/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeStore } from "../testing/fake-store.ts";
import { TestPd } from "../testing/test-pd.ts";

let pd: TestPd;

beforeEach(async () => {
  pd = await TestPd.start({ bootstrapStores: 1 });
});

afterEach(() => pd.close());

async function metrics(): Promise<Map<string, ParsedMetric>> {
  const response = await fetch(`http://${pd.httpAddress}/metrics`);
  return parseExposition(await response.text());
}

test("a placement driver shows every metric of its table, and counts what Stores say", async () => {
  const store = new FakeStore(pd.client(), "127.0.0.1:7410");
  await store.register();
  await store.heartbeat();
  const shown = await metrics();
  const wanted = metricSections
    .filter(({ title }) => title !== "rdb-server")
    .flatMap((section) => section.metrics);
  expect([...shown.keys()].sort()).toEqual(wanted.map(({ name }) => name).sort());
  const value = (name: string, label?: string): number | undefined =>
    shown
      .get(name)
      ?.samples.find(({ labels }) => label === undefined || Object.values(labels).includes(label))?.value;
  expect({
    leads: value("flaredb_pd_leader"),
    members: value("flaredb_pd_members", "up"),
    stores: value("flaredb_pd_stores", "up"),
    heartbeats: value("flaredb_pd_heartbeats_total", "store"),
  }).toEqual({ leads: 1, members: 1, stores: 1, heartbeats: 1 });
  expect(value("flaredb_pd_proposals_total", "applied")).toBeGreaterThan(1);
});
