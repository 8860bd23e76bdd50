import { createServer } from "node:net";
import { createClient } from "@connectrpc/connect";
import { RdbError, SeededRandom, assert, silentLogger, systemClock } from "@flaredb/rdb-base";
import { PdAdminService, PdService } from "@flaredb/rdb-proto";
import { MemoryEngine, MemoryRawEngine } from "@flaredb/rdb-storage";
import { type UnaryTransport, fromConnectError, httpWire, unaryTransport } from "@flaredb/rdb-wire";
import { afterEach, describe, expect, test } from "vitest";
import { parsePdConfig } from "./config.ts";
import { healthView } from "./http/health-view.ts";
import { type RunningPd, runPd } from "./run-pd.ts";

interface Machine {
  readonly name: string;
  readonly address: string;
  readonly disk: MemoryRawEngine;
  running: RunningPd | undefined;
  /** Room on its disk. */
  freeBytes: number;
  /** Why it had to end. */
  fatal: RdbError | undefined;
}

const random = new SeededRandom(1);
const connections: UnaryTransport[] = [];
let machines: Machine[] = [];

afterEach(async () => {
  connections.splice(0).forEach((connection) => connection.close());
  await Promise.all(machines.splice(0).map(async ({ running }) => running?.close()));
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert(typeof address === "object" && address !== null, "it listens on a port");
  await new Promise((resolve) => server.close(resolve));
  return address.port;
}

async function newMachine(name: string): Promise<Machine> {
  const disk = new MemoryRawEngine({ clock: systemClock, random });
  const machine: Machine = {
    ...{ name, disk, address: `127.0.0.1:${await freePort()}` },
    running: undefined,
    freeBytes: Number.POSITIVE_INFINITY,
    fatal: undefined,
  };
  machines.push(machine);
  return machine;
}

async function startMachine(machine: Machine, fields: object): Promise<RunningPd> {
  const port = Number(machine.address.split(":")[1]);
  const config = parsePdConfig({ dataDir: "none", name: machine.name, port, ...fields });
  machine.running = await runPd(config, {
    clock: systemClock,
    random,
    logger: silentLogger,
    onFatal: (error) => {
      machine.fatal = error;
    },
    wire: httpWire(),
    freeBytes: () => Promise.resolve(machine.freeBytes),
    openEngine: (onFatal) =>
      Promise.resolve(new MemoryEngine({ clock: systemClock, random, onFatal }, machine.disk)),
    httpAddress: `127.0.0.1:${port + 1}`,
  });
  return machine.running;
}

/** Three members that have a leader. */
async function threeMembers(): Promise<{
  readonly initialCluster: readonly { readonly name: string; readonly address: string }[];
}> {
  const group = await Promise.all(["pd-1", "pd-2", "pd-3"].map(newMachine));
  const fields = { initialCluster: group.map(({ name, address }) => ({ name, address })) };
  await Promise.all(group.map((machine) => startMachine(machine, fields)));
  return fields;
}

function transportTo(address: string): UnaryTransport["transport"] {
  const connection = unaryTransport(address);
  connections.push(connection);
  return connection.transport;
}

const pdAt = (address: string) => createClient(PdService, transportTo(address));
const adminAt = (address: string) => createClient(PdAdminService, transportTo(address));

async function refusal(call: Promise<unknown>): Promise<RdbError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => fromConnectError(thrown),
  );
  assert(error instanceof RdbError, "the call is refused");
  return error;
}

async function until<Value>(look: () => Value | undefined): Promise<Value> {
  for (;;) {
    const value = look();
    if (value !== undefined) {
      return value;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function serving(): Promise<Machine> {
  return until(() => machines.find(({ running }) => running?.group.isServing === true));
}

describe("SPEC-M7: three members of a placement driver", () => {
  test("one answers, the others name it; what it gave out, the next does not", async () => {
    await threeMembers();
    const leader = await serving();
    const first = await pdAt(leader.address).allocateIds({ count: 10 });
    const info = await pdAt(leader.address).getClusterInfo({});
    expect(info.members.map(({ name, address }) => ({ name, address }))).toEqual(
      machines.map(({ name, address }) => ({ name, address })),
    );
    for (const { address } of machines.filter((machine) => machine !== leader)) {
      const details = { leaderAddress: leader.address };
      expect(await refusal(pdAt(address).getClusterInfo({}))).toMatchObject({
        code: "RDB_NOT_LEADER",
        details,
      });
      const stream = pdAt(address).regionHeartbeat(
        (async function* () {
          yield { storeId: 1n };
        })(),
      );
      expect(await refusal(stream[Symbol.asyncIterator]().next())).toMatchObject({
        code: "RDB_NOT_LEADER",
        details,
      });
    }
    await leader.running?.close();
    leader.running = undefined;
    const next = await serving();
    const second = await pdAt(next.address).allocateIds({ count: 10 });
    expect(second.firstId).toBeGreaterThanOrEqual(first.firstId + 10n);
    expect(next.running?.clusterId).toBe(Number(info.clusterId));
  });

  test("a leader whose disk is full lets another one lead, which gives out other ids, and follows", async () => {
    await threeMembers();
    const full = await serving();
    const first = await pdAt(full.address).allocateIds({ count: 10 });
    await until(() => full.running?.group.members().every(({ isUp }) => isUp) || undefined);
    full.freeBytes = 0;
    const next = await until(() =>
      machines.find((one) => one !== full && one.running?.group.isServing === true),
    );
    const second = await pdAt(next.address).allocateIds({ count: 10 });
    expect(second.firstId).toBeGreaterThanOrEqual(first.firstId + 10n);
    expect(await refusal(pdAt(full.address).allocateIds({ count: 1 }))).toMatchObject({
      code: "RDB_NOT_LEADER",
      details: { leaderAddress: next.address },
    });
    const index = next.running?.group.appliedIndex;
    await until(() => (full.running?.group.appliedIndex ?? 0) >= (index ?? 0) || undefined);
    expect(full.fatal).toBeUndefined();
  });

  test("one that is alone does not become one of three by its configuration", async () => {
    const machine = await newMachine("pd-1");
    const running = await startMachine(machine, {});
    await running.close();
    machine.running = undefined;
    const initialCluster = [
      { name: "pd-1", address: machine.address },
      { name: "pd-2", address: "127.0.0.1:1" },
      { name: "pd-3", address: "127.0.0.1:2" },
    ];
    await expect(startMachine(machine, { initialCluster })).rejects.toMatchObject({
      code: "RDB_CONFIG_INVALID",
      message: expect.stringContaining("add the others with rdb pd add-member"),
    });
  });

  test("a member that comes back catches up", async () => {
    const fields = await threeMembers();
    const follower = machines.find(({ running }) => running?.group.isServing === false);
    assert(follower !== undefined, "two follow");
    await follower.running?.close();
    const leader = await serving();
    await pdAt(leader.address).allocateIds({ count: 10 });
    const again = await startMachine(follower, fields);
    await until(() => again.group.appliedIndex === leader.running?.group.appliedIndex || undefined);
    expect(again.clusterId).toBe(leader.running?.clusterId);
  });

  test("a member finds in its folder who it is: the list may have changed, the folder of another is refused", async () => {
    const { initialCluster } = await threeMembers();
    const leader = await serving();
    await until(() => (leader.running?.driver.cluster.durable.members.size === 3 ? true : undefined));
    const index = leader.running?.group.appliedIndex;
    await until(() => machines.every(({ running }) => running?.group.appliedIndex === index) || undefined);
    const [, , third] = machines;
    assert(third !== undefined, "there are three");
    await third.running?.close();
    const other = { ...third, name: "pd-1" };
    await expect(startMachine(other, { initialCluster })).rejects.toMatchObject({
      code: "RDB_DATA_FOREIGN",
      message: "the data folder is that of PD member 3 (pd-3), this is pd-1",
    });
    const edited = [{ name: "pd-0", address: "127.0.0.1:1" }, ...initialCluster.slice(1)];
    const again = await startMachine(third, { initialCluster: edited });
    expect(again.group.memberId).toBe(3);
    const alone = { ...third };
    await again.close();
    third.running = await startMachine(alone, {});
    expect(third.running.group.memberId).toBe(3);
  });

  test("members that were told different things do not mix", async () => {
    const [one, two, three] = await Promise.all(["pd-1", "pd-2", "pd-3"].map(newMachine));
    assert(one !== undefined && two !== undefined && three !== undefined, "there are three");
    const cluster = [one, two, three].map(({ name, address }) => ({ name, address }));
    const other = [...cluster.slice(0, 2), { name: "pd-4", address: three.address }];
    const starts = [
      startMachine(one, { initialCluster: cluster }),
      startMachine(two, { initialCluster: cluster }),
    ];
    await Promise.all(starts);
    let isSettled = false;
    void startMachine({ ...three, name: "pd-4" }, { initialCluster: other }).then(() => {
      isSettled = true;
    });
    const leader = await serving();
    for (let call = 0; call < 20; call++) {
      await pdAt(leader.address).allocateIds({ count: 1 });
    }
    expect(isSettled).toBe(false);
  });

  test("members are added, moved to the lead, and removed", async () => {
    await threeMembers();
    const leader = await serving();
    const fourth = await newMachine("pd-4");
    const { member } = await adminAt(leader.address).addPdMember({ name: "pd-4", address: fourth.address });
    expect(member).toMatchObject({ id: 4n, isLearner: true });
    const twin = { name: "pd-5", address: fourth.address };
    expect(await refusal(adminAt(leader.address).addPdMember(twin))).toMatchObject({
      code: "RDB_ALREADY_EXISTS",
    });
    await startMachine(fourth, { join: machines.slice(0, 3).map(({ address }) => address) });
    await until(() => {
      const votes = leader.running?.group.members().every(({ isLearner }) => !isLearner);
      return votes === true ? votes : undefined;
    });
    // A member that has not applied yet that it has a vote lets its turn pass: asked again, it takes it.
    while (fourth.running?.group.isServing !== true) {
      await adminAt((await serving()).address)
        .transferPdLeader({ toMemberId: 4n })
        .catch((error: unknown) => expect(fromConnectError(error).code).toBe("RDB_NOT_LEADER"));
    }
    const gone = machines[0];
    assert(gone !== undefined, "there was a first one");
    expect(await refusal(adminAt(fourth.address).removePdMember({ memberId: 4n }))).toMatchObject({
      code: "RDB_INVALID_ARGUMENT",
      message: "PD member 4 leads: transfer leadership to another one first",
    });
    await adminAt(fourth.address).removePdMember({ memberId: 1n });
    await until(() => gone.fatal);
    expect(gone.fatal).toMatchObject({ code: "RDB_DATA_FOREIGN" });
    await gone.running?.close();
    await expect(startMachine(gone, { join: [fourth.address] })).rejects.toMatchObject({
      code: "RDB_DATA_FOREIGN",
    });
    gone.running = undefined;
  });

  test("a member that lost its data takes no part", async () => {
    const fields = await threeMembers();
    const leader = await serving();
    await until(() =>
      leader.running?.driver.cluster.durable.members.size === 3 &&
      [...leader.running.driver.cluster.durable.members.values()].every(
        ({ httpAddress }) => httpAddress !== "",
      )
        ? true
        : undefined,
    );
    const [wiped, other] = machines.filter((machine) => machine !== leader);
    assert(wiped !== undefined && other !== undefined, "two follow");
    await wiped.running?.close();
    await other.running?.close();
    const empty = { ...wiped, disk: new MemoryRawEngine({ clock: systemClock, random }) };
    machines = [...machines.filter((machine) => machine !== wiped && machine !== other), empty];
    void startMachine(empty, fields);
    expect(await until(() => empty.fatal)).toMatchObject({ code: "RDB_DATA_CORRUPT" });
    await until(() => (leader.running?.group.isServing === false ? true : undefined));
    expect(await refusal(pdAt(leader.address).allocateIds({ count: 1 }))).toMatchObject({
      code: "RDB_NOT_LEADER",
    });
  });

  test("is of no use to anybody once two of three are gone, and says so", async () => {
    await threeMembers();
    const leader = await serving();
    const [left, other] = machines.filter((machine) => machine !== leader);
    assert(left?.running !== undefined && other?.running !== undefined, "two follow");
    const { group } = left.running;
    expect(healthView(group).status).toBe("following");
    await other.running.close();
    other.running = undefined;
    await leader.running?.close();
    leader.running = undefined;
    // The leader that ends may have made it the next one, which without a second voter never serves.
    await until(() => (group.leaderMemberId === 0 ? true : undefined));
    expect(healthView(group).status).toBe("leaderless");
  });

  test("a member that lost its data comes back under its name and address, as a new one that joins", async () => {
    await threeMembers();
    const leader = await serving();
    const lost = machines.find((machine) => machine !== leader);
    assert(lost?.running !== undefined, "two follow");
    const { memberId } = lost.running.group;
    await until(() => (leader.running?.group.members().every(({ isUp }) => isUp) ? true : undefined));
    await lost.running.close();
    machines = machines.filter((machine) => machine !== lost);
    // As a set of Pods has it: one command line for all, those with data among them.
    const join = [lost, ...machines].map(({ address }) => address);
    const admin = adminAt(leader.address);
    await admin.removePdMember({ memberId: BigInt(memberId) });
    await admin.addPdMember({ name: lost.name, address: lost.address });
    const empty = { ...lost, disk: new MemoryRawEngine({ clock: systemClock, random }), running: undefined };
    machines.push(empty);
    const back = await startMachine(empty, { join, advertiseAddress: empty.address });
    expect(back.group).toMatchObject({ memberId: 4, clusterId: leader.running?.clusterId });
    const another = machines.find((machine) => machine !== leader && machine !== empty);
    assert(another?.running !== undefined, "one follows still");
    const { memberId: itsId } = another.running.group;
    await another.running.close();
    const again = await startMachine(another, { join, advertiseAddress: another.address });
    expect(again.group).toMatchObject({ memberId: itsId, clusterId: back.clusterId });
  });
});
