import { type TestCluster, startTestCluster } from "@flaredb/rdb-client/testing";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { SessionStore } from "./session-store.ts";

interface Cart {
  readonly items: readonly string[];
}

let cluster: TestCluster;
/** Two servers of one application, each with a connection of its own. */
let one: SessionStore<Cart>;
let other: SessionStore<Cart>;
let nowMs = 1_700_000_000_000;
let name = 0;

beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(() => cluster.stop());

beforeEach(async () => {
  const prefix = `${name++}/`;
  const options = { idleMs: 1_000, nowMs: () => nowMs };
  one = new SessionStore((await cluster.client()).namespace(prefix), options);
  other = new SessionStore((await cluster.client()).namespace(prefix), options);
});

test("a session that begins on one server is there on the other, and so is its end", async () => {
  const { id } = await one.create("ada", { items: [] });
  expect(await other.get(id)).toMatchObject({ userId: "ada", data: { items: [] } });
  await other.end(id);
  expect(await one.get(id)).toBeUndefined();
  expect(await one.update(id, (cart) => cart)).toBeUndefined();
});

test("changes of two servers at once both count", async () => {
  const { id } = await one.create("ada", { items: [] });
  const put = (store: SessionStore<Cart>, item: string) =>
    store.update(id, ({ items }) => ({ items: [...items, item] }));
  await Promise.all([put(one, "tea"), put(other, "milk"), put(one, "sugar"), put(other, "cake")]);
  expect([...((await one.get(id))?.data.items ?? [])].sort()).toEqual(["cake", "milk", "sugar", "tea"]);
});

test("a session lives for as long as it is used, and is swept away after", async () => {
  const used = await one.create("ada", { items: [] });
  await one.create("grace", { items: [] });
  nowMs += 900;
  expect((await other.get(used.id))?.expiresMs).toBe(nowMs + 1_000);
  nowMs += 900;
  expect(await one.get(used.id)).toBeDefined();
  expect(await other.sweep()).toBe(1);
  nowMs += 1_000;
  expect(await one.get(used.id)).toBeUndefined();
  expect(await other.sweep()).toBe(1);
  expect(await other.sweep()).toBe(0);
});

test("all sessions of a user end at once, and nobody else's", async () => {
  const mine = [await one.create("ada/2", { items: [] }), await other.create("ada/2", { items: [] })];
  const hers = await one.create("ada", { items: [] });
  await other.endAll("ada/2");
  expect(await Promise.all(mine.map(({ id }) => one.get(id)))).toEqual([undefined, undefined]);
  expect(await one.get(hers.id)).toBeDefined();
});
