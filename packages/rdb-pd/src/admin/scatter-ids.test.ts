import { type RdbError, type RegionId, assert, regionId } from "@flaredb/rdb-base";
import { beforeEach, expect, test } from "vitest";
import type { RegionInfo } from "../cluster/region-info.ts";
import { IdReserve } from "../id/id-reserve.ts";
import { pdLimits } from "../limits.ts";
import type { OperatorRecord } from "../operator/operator-record.ts";
import { operatorRecord } from "../testing/operator-record.ts";
import { region } from "../testing/regions.ts";
import { AdminScene, type AdminSceneOptions } from "./admin-scene.ts";
import { RegionCommands } from "./region-commands.ts";

/** Peers that are added to each Region, and the operator. */
const IDS_PER_REGION = 10;
const all = Array.from({ length: pdLimits.scatterMaxCount }, (_, at) => regionId(at + 1));

let isLogAway: boolean;
let commands: RegionCommands;

beforeEach(async () => {
  isLogAway = false;
  let nextId = 1;
  const ids = new IdReserve(
    async (count) => {
      // Through PD's log, which takes its time.
      await new Promise((resolve) => setImmediate(resolve));
      assert(!isLogAway, "the log is there");
      nextId += count;
      return nextId - count;
    },
    () => {},
  );
  await ids.fill();
  const infoOf = (id: RegionId): RegionInfo => ({ region: region({ id, range: "-" }), status: undefined });
  const options = {
    cluster: { region: infoOf },
    lookup: { regionById: infoOf },
    operators: { ids },
    coordination: {
      scatter: ({ region: { id } }: RegionInfo): OperatorRecord => {
        for (let drawn = 0; drawn < IDS_PER_REGION; drawn++) {
          assert(ids.draw() !== undefined, "a decision draws fewer ids than are at hand before it");
        }
        ids.keepDrawn();
        return operatorRecord(id, "Running");
      },
    },
  } as unknown as AdminSceneOptions;
  commands = new RegionCommands(new AdminScene(options), options);
});

test("as many Regions as may be are scattered, whatever ids that takes", async () => {
  expect(IDS_PER_REGION * all.length).toBeGreaterThan(pdLimits.idReserveCount);
  expect((await commands.scatter(all)).map(({ id }) => id)).toEqual(all);
});

test("without PD's log those are scattered for which there are ids, and then none", async () => {
  isLogAway = true;
  const { length } = await commands.scatter(all);
  expect(length).toBeGreaterThan(0);
  expect(length).toBeLessThan(all.length);
  await expect(commands.scatter(all)).rejects.toMatchObject({
    code: "RDB_SERVER_IS_BUSY",
  } satisfies Partial<RdbError>);
});
