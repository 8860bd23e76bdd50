import { RdbError, SeededRandom, assert, systemClock } from "@flaredb/rdb-base";
import { MemoryEngine } from "@flaredb/rdb-storage";
import { beforeEach, describe, expect, test } from "vitest";
import { checkFounding } from "./founding.ts";
import { type MemberIdentity, configuredIdentity, joiningIdentity } from "./member-identity.ts";
import { PdStorage } from "./pd-storage.ts";

const THREE = ["pd-1", "pd-2", "pd-3"];
const FIVE = [...THREE, "pd-4", "pd-5"];

let engine: MemoryEngine;

beforeEach(() => {
  engine = new MemoryEngine({
    clock: systemClock,
    random: new SeededRandom(1),
    onFatal: (error) => {
      throw error;
    },
  });
});

function listed(name: string, names: readonly string[], port = 7_400): MemberIdentity {
  return configuredIdentity(
    name,
    names.map((each, at) => ({ name: each, address: `127.0.0.1:${port + at}` })),
  );
}

async function refusal(identity: MemberIdentity): Promise<RdbError> {
  const error = await PdStorage.open(engine, identity).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert(error instanceof RdbError, "the folder is refused");
  return error;
}

describe("SPEC-M7: a folder that knows of no cluster yet", () => {
  test("is not taken for one of a group with other first members", async () => {
    await PdStorage.open(engine, listed("pd-1", THREE));
    expect(await refusal(listed("pd-1", FIVE))).toMatchObject({
      code: "RDB_CONFIG_INVALID",
      message: expect.stringMatching(
        /begun with the first members \[pd-1, pd-2, pd-3\], .* names \[pd-1, pd-2, pd-3, pd-4, pd-5\]/u,
      ),
    });
    const renamed = listed("pd-1", ["pd-1", "pd-2", "pd-9"]);
    expect(await refusal(renamed)).toMatchObject({ code: "RDB_CONFIG_INVALID" });
    expect(await refusal(configuredIdentity("pd-1", undefined))).toMatchObject({
      code: "RDB_CONFIG_INVALID",
    });
    expect(await refusal(joiningIdentity(1))).toMatchObject({ code: "RDB_CONFIG_INVALID" });
  });

  test("is not taken for another member's of the same list", async () => {
    await PdStorage.open(engine, listed("pd-1", THREE));
    expect(await refusal(listed("pd-2", THREE))).toMatchObject({
      code: "RDB_DATA_FOREIGN",
      message: "the data folder was begun by PD member 1, this is member 2: give it an empty one",
    });
  });

  test("goes on with the same members, in any order, at whatever addresses", async () => {
    await PdStorage.open(engine, listed("pd-1", THREE));
    const { log } = await PdStorage.open(engine, listed("pd-1", THREE.toReversed(), 8_400));
    expect(log.confState.voters).toEqual([1, 2, 3]);
  });
});

test("a folder that knows its cluster goes by its own log, whatever the list says, but stays its member's", async () => {
  await PdStorage.open(engine, listed("pd-1", THREE));
  expect(() => checkFounding(engine, listed("pd-1", FIVE), true)).not.toThrow();
  expect(() => checkFounding(engine, joiningIdentity(1), true)).not.toThrow();
  expect(() => checkFounding(engine, joiningIdentity(2), true)).toThrow("was begun by PD member 1");
});
