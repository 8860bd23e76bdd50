import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { RdbError, silentLogger, systemClock } from "@flaredb/rdb-base";
import { KvService } from "@flaredb/rdb-proto";
import { RpcServer } from "@flaredb/rdb-wire";
import { afterEach, expect, test } from "vitest";
import type { PlacementDriver } from "../placement-driver.ts";
import { region } from "../testing/regions.ts";
import { type DataWriter, noDataWriter, storeDataWriter } from "./data-writer.ts";

const key = (text: string): Uint8Array => new TextEncoder().encode(text);

let store: RpcServer | undefined;
afterEach(() => store?.close(0));

/** Over a Store that answers so. */
async function writerOver(methods: Partial<ServiceImpl<typeof KvService>>): Promise<DataWriter> {
  store = new RpcServer({
    ...{ host: "127.0.0.1", port: 0, logger: silentLogger, clock: systemClock },
    routes: (router) => {
      router.service(KvService, methods);
    },
  });
  await store.listen();
  const { address } = store;
  const whole = region({ id: 1, range: "-" });
  const driver = {
    lookup: {
      regionOf: () => ({ region: whole, status: { leader: whole.peers[0] } }),
      storesOf: () => [{ store: { id: whole.peers[0]?.storeId, address }, condition: "Up" }],
    },
  } as unknown as PlacementDriver;
  return storeDataWriter(undefined, () => driver, silentLogger);
}

test("a change is the client's own call: with what is expected a comparison, else a plain one", async () => {
  const calls: unknown[] = [];
  const writer = await writerOver({
    put: ({ value }) => {
      calls.push(["put", new TextDecoder().decode(value)]);
      return { version: 3n };
    },
    compareAndSwap: ({ expect: expected }) => {
      calls.push(["swap", expected?.condition]);
      return { succeeded: false, version: 9n };
    },
    delete: () => ({ deleted: true, revision: 4n }),
    compareAndDelete: ({ expect: expected }) => {
      calls.push(["drop", expected?.condition]);
      return { succeeded: true, version: 9n };
    },
  });
  expect(await writer.put(key("a"), key("x"), undefined)).toEqual({ succeeded: true, version: 3 });
  expect(await writer.put(key("a"), key("x"), 0)).toEqual({ succeeded: false, version: 9 });
  expect(await writer.put(key("a"), key("x"), 8)).toEqual({ succeeded: false, version: 9 });
  expect(await writer.delete(key("a"), undefined)).toEqual({ succeeded: true, version: 0 });
  expect(await writer.delete(key("a"), 9)).toEqual({ succeeded: true, version: 0 });
  expect(calls).toEqual([
    ["put", "x"],
    ["swap", { case: "absent", value: true }],
    ["swap", { case: "version", value: 8n }],
    ["drop", { case: "version", value: 9n }],
  ]);
});

test("what the Store refuses comes back with its code", async () => {
  const writer = await writerOver({
    put: () => {
      throw new RdbError("RDB_DISK_FULL", "no room");
    },
  });
  await expect(writer.put(key("a"), key("x"), undefined)).rejects.toBeInstanceOf(RdbError);
});

test("a change that was sent and not answered may be done: that nobody answers would say that it is not", async () => {
  const lost: ServiceImpl<typeof KvService>["put"] = () => {
    void store?.close(0);
    return new Promise(() => {});
  };
  // As a Store's port answers when the time of the call is over, whatever became of it.
  const late: ServiceImpl<typeof KvService>["put"] = () => {
    throw new ConnectError("the operation timed out", Code.DeadlineExceeded);
  };
  for (const put of [lost, late]) {
    const writer = await writerOver({ put });
    await expect(writer.put(key("a"), key("x"), undefined)).rejects.toMatchObject({
      code: "RDB_UNDETERMINED_RESULT",
      message: expect.stringContaining('row put of key "a" was sent'),
    });
    await store?.close(0);
  }
});

test("a change that reached no Store is not done", async () => {
  const writer = await writerOver({});
  await store?.close(0);
  await expect(writer.put(key("a"), key("x"), undefined)).rejects.toMatchObject({ code: "RDB_UNAVAILABLE" });
});

test("where it is not allowed, it is refused with the setting", async () => {
  const writer = noDataWriter("read");
  for (const change of [writer.put(key("a"), key("x"), undefined), writer.delete(key("a"), undefined)]) {
    await expect(change).rejects.toMatchObject({
      code: "RDB_PERMISSION_DENIED",
      message: expect.stringContaining('"read", "write" would let it'),
    });
  }
});
