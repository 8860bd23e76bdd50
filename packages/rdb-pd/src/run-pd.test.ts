import { existsSync } from "node:fs";
import { createClient } from "@connectrpc/connect";
import { RdbError, SeededRandom, silentLogger, systemClock } from "@flaredb/rdb-base";
import { PdService } from "@flaredb/rdb-proto";
import { MemoryEngine, MemoryRawEngine } from "@flaredb/rdb-storage";
import { httpWire, unaryTransport } from "@flaredb/rdb-wire";
import { expect, test } from "vitest";
import { parsePdConfig } from "./config.ts";
import { type PdPorts, runPd } from "./run-pd.ts";

const DATA_DIR = "not-a-folder-of-this-machine";
const httpAddress = "127.0.0.1:7401";
const random = new SeededRandom(1);

function run(openEngine: PdPorts["openEngine"], port = 0) {
  return runPd(parsePdConfig({ dataDir: DATA_DIR, port }), {
    clock: systemClock,
    random,
    logger: silentLogger,
    onFatal: (error) => {
      throw error;
    },
    wire: httpWire(),
    openEngine,
    httpAddress,
  });
}

/** A database of its own for each machine; counts how often it was closed. */
function machine() {
  const disk = new MemoryRawEngine({ clock: systemClock, random });
  const made = {
    closedCount: 0,
    openEngine: ((onFatal) => {
      const engine = new MemoryEngine({ clock: systemClock, random, onFatal }, disk);
      const close = engine.close.bind(engine);
      engine.close = () => {
        made.closedCount++;
        return close();
      };
      return Promise.resolve(engine);
    }) satisfies PdPorts["openEngine"],
  };
  return made;
}

test("PD touches nothing but its ports, and finds in its database what it knew", async () => {
  const { openEngine } = machine();
  const pd = await run(openEngine);
  const connection = unaryTransport(pd.address);
  const info = await createClient(PdService, connection.transport).getClusterInfo({});
  connection.close();
  expect(info.clusterId).toBe(BigInt(pd.clusterId));
  expect(info.members).toMatchObject([{ id: 1n, address: pd.address, httpAddress }]);
  await pd.close();
  const again = await run(openEngine);
  expect(again.clusterId).toBe(pd.clusterId);
  await again.close();
  expect(existsSync(DATA_DIR)).toBe(false);
});

test("a refused start leaves nothing open", async () => {
  const first = await run(machine().openEngine);
  const port = Number(first.address.split(":")[1]);
  const second = machine();
  await expect(run(second.openEngine, port)).rejects.toMatchObject({ code: "RDB_ADDRESS_IN_USE" });
  expect(second.closedCount).toBe(1);
  await first.close();
  const locked = new RdbError("RDB_DATA_LOCKED", "another PD is here");
  await expect(run(() => Promise.reject(locked), port)).rejects.toBe(locked);
});
