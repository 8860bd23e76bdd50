import { PeerRole, RecoveryState, RecoveryStepState } from "@flaredb/rdb-proto";
import { afterEach, describe, expect, test } from "vitest";
import { FakeStore } from "../testing/fake-store.ts";
import { LostQuorum } from "../testing/lost-quorum.ts";
import { refusal, registered } from "../testing/pd-cluster.ts";

const closing: LostQuorum[] = [];

afterEach(() => Promise.all(closing.splice(0).map((scene) => scene.close())));

async function lostQuorum(): Promise<LostQuorum> {
  const scene = await LostQuorum.start();
  closing.push(scene);
  return scene;
}

const LOST = { lostStoreIds: [1n, 2n], createEmpty: false };

/** Begins what is planned. @returns the recovery's id */
async function begun(scene: LostQuorum): Promise<bigint> {
  const admin = scene.pd.adminClient();
  const { plan } = await admin.planRecovery(LOST);
  const { recovery } = await admin.beginRecovery({ ...LOST, fingerprint: plan?.fingerprint ?? "" });
  return recovery?.id ?? 0n;
}

/** The process that has the Store's data, as a PD that has started anew gets to know it. */
async function again(scene: LostQuorum, { storeId, address }: FakeStore): Promise<FakeStore> {
  const store = new FakeStore(scene.pd.client(), address, 1n);
  store.clusterId = scene.pd.clusterId;
  store.storeId = storeId;
  await store.register();
  return store;
}

const recoveryNow = async (scene: LostQuorum) =>
  (await scene.pd.adminClient().listRecoveries({})).recoveries[0];

describe("a recovery", () => {
  test("is not planned while a Store that is named is heard of, or one that is not named is silent", async () => {
    const scene = await lostQuorum();
    const admin = scene.pd.adminClient();
    const plan = (...lostStoreIds: bigint[]) => refusal(admin.planRecovery({ lostStoreIds }));
    expect(await plan(3n)).toMatchObject({ code: "RDB_INVALID_ARGUMENT", message: /store 3 is not lost/ });
    expect(await plan(1n)).toMatchObject({ code: "RDB_UNAVAILABLE", message: /store 2 does not answer/ });
    expect(await plan(9n)).toMatchObject({ code: "RDB_NOT_FOUND" });
    expect(await plan()).toMatchObject({ code: "RDB_INVALID_ARGUMENT" });
    scene.pd.clock.advance(60_000);
    const all = { lostStoreIds: [1n, 2n, 3n], createEmpty: true };
    expect(await refusal(admin.planRecovery(all))).toMatchObject({
      ...{ code: "RDB_INVALID_ARGUMENT", message: /no store would be left/ },
    });
    expect((await admin.listRecoveries({})).recoveries).toEqual([]);
  });

  test("is ordered until the Store says how it ended, whoever leads PD by then", async () => {
    const scene = await lostQuorum();
    const id = await begun(scene);
    const first = await scene.survivor.next("recoverRegions");
    expect(first.value.regions).toMatchObject([
      { recoveryId: id, regionId: 1n, term: 7n, pieces: [{ peers: [{ storeId: 3n }] }] },
      { recoveryId: id, regionId: 2n },
    ]);
    await scene.pd.restart();
    const survivor = await again(scene, scene.survivor);
    survivor.openStream();
    const second = await survivor.next("recoverRegions");
    expect(second.value.regions).toEqual(first.value.regions);
    const result = (regionId: bigint, over: object) => ({ recoveryId: id, regionId, ...over });
    survivor.answer({
      recoveryResults: [result(1n, { ok: true }), result(2n, { message: "Busy", isPassing: true })],
    });
    // What may pass is ordered again, and only that.
    for (;;) {
      const { value } = await survivor.next("recoverRegions");
      if (value.regions.length === 1) {
        expect(value.regions[0]?.regionId).toBe(2n);
        break;
      }
    }
    expect((await recoveryNow(scene))?.state).toBe(RecoveryState.RUNNING);
    survivor.answer({ recoveryResults: [result(2n, { message: "EpochNotMatch: it moved" })] });
    let recovery = await recoveryNow(scene);
    while (recovery?.state === RecoveryState.RUNNING) {
      recovery = await recoveryNow(scene);
    }
    expect(recovery).toMatchObject({
      state: RecoveryState.DONE,
      steps: [
        { state: RecoveryStepState.DONE },
        { state: RecoveryStepState.REFUSED, message: "EpochNotMatch: it moved" },
      ],
    });
    await survivor.closeStream();
  });

  test("gives the Stores up for ever, also in a PD that starts anew; their addresses are free", async () => {
    const scene = await lostQuorum();
    await begun(scene);
    const [first] = scene.lost;
    if (first === undefined) {
      throw new Error("the scene has lost Stores");
    }
    const lost = { code: "RDB_STORE_LOST", message: /given up as lost/ };
    expect(await refusal(again(scene, first))).toMatchObject(lost);
    await scene.pd.restart();
    expect(await refusal(again(scene, first))).toMatchObject(lost);
    scene.pd.clock.advance(8_000);
    // At its address, with an empty data folder.
    const wiped = new FakeStore(scene.pd.client(), first.address);
    const { storeId } = await wiped.client.registerStore({
      ...{ address: first.address, bootId: 5n, registrationToken: "another", clusterVersion: 2 },
    });
    expect(storeId).toBe(4n);
  });

  test("begins only as it was seen, and one at a time", async () => {
    const scene = await lostQuorum();
    const admin = scene.pd.adminClient();
    const { plan } = await admin.planRecovery(LOST);
    const fingerprint = plan?.fingerprint ?? "";
    const otherwise = await refusal(admin.beginRecovery({ ...LOST, createEmpty: true, fingerprint }));
    expect(otherwise.code).toBe("RDB_EPOCH_NOT_MATCH");
    await admin.beginRecovery({ ...LOST, fingerprint });
    expect((await refusal(admin.beginRecovery({ ...LOST, fingerprint }))).code).toBe("RDB_ALREADY_EXISTS");
    const stores = await registered(scene.pd, 7499);
    expect(stores.storeId).toBe(4n);
  });

  test("makes as many empty Regions as one recovery may, and leaves the others to the next", async () => {
    const scene = await lostQuorum();
    const key = (at: number): Uint8Array => new TextEncoder().encode(`k${String(at).padStart(5, "0")}`);
    const peerOf = (at: number) => ({
      region: {
        ...{ id: BigInt(1_000 + at), startKey: key(2 * at), endKey: key(2 * at + 1) },
        ...{
          epoch: { confVer: 3n, version: 2n },
          peers: [{ id: BigInt(9_000 + at), storeId: 3n, role: PeerRole.VOTER }],
        },
      },
      ...{
        peerId: BigInt(9_000 + at),
        term: 6n,
        lastTerm: 6n,
        lastIndex: 9n,
        commitIndex: 8n,
        appliedIndex: 8n,
      },
    });
    // Between each two that have a quorum nothing is left.
    scene.answerSurveysWith(Array.from({ length: 5_010 }, (_, at) => peerOf(at)));
    const admin = scene.pd.adminClient();
    const wish = { ...LOST, createEmpty: true };
    const { plan } = await admin.planRecovery(wish);
    expect(plan?.lostRanges).toHaveLength(5_011);
    const { recovery } = await admin.beginRecovery({ ...wish, fingerprint: plan?.fingerprint ?? "" });
    expect(recovery?.emptyRegions).toHaveLength(5_000);
    const ids =
      recovery?.emptyRegions.flatMap(({ id, peers }) => [id, ...peers.map((peer) => peer.id)]) ?? [];
    expect(new Set(ids).size).toBe(10_000);
  });
});
