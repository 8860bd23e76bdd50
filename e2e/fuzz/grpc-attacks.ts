import { Code } from "@connectrpc/connect";
import { KvService, PdAdminService, PdMemberService, PdService, RaftService } from "@flaredb/rdb-proto";
import { ProtoFuzzer } from "@flaredb/rdb-proto/testing";
import { frame } from "../raw-grpc.ts";
import { type CallOutcome, RawCaller } from "./raw-caller.ts";
import { type Attack, type Scene, oneOf } from "./scene.ts";

const CALL_COUNT = 60;
const NOISE_MAX_BYTES = 2_000;
/** The largest length that a frame can claim. */
const HUGE_LENGTH = 2 ** 32 - 1;

/** Everything that is served. */
type Service =
  | typeof KvService
  | typeof RaftService
  | typeof PdService
  | typeof PdAdminService
  | typeof PdMemberService;

const pathOf = (service: Service, method: { readonly name: string }): string =>
  `/${service.typeName}/${method.name}`;

/** Valid messages with absurd fields, some cut or changed, to every method. */
export const absurdMessages: Attack = {
  name: "absurd messages",
  async run(scene) {
    const { cluster, victim, random } = scene;
    const targets: (readonly [Service, string])[] = [
      [KvService, oneOf(random, cluster.stores).address],
      [RaftService, oneOf(random, victim.stores).address],
      [PdService, victim.pdAddress],
      [PdAdminService, victim.pdAddress],
      [PdMemberService, victim.pdAddress],
    ];
    const { clusterId } = await cluster.pdClient.getClusterInfo({});
    const regions = await cluster.regions();
    const numbers = regions.flatMap(({ region }) => [
      region?.id ?? 1n,
      ...(region?.peers ?? []).flatMap(({ id, storeId }) => [id, storeId]),
      region?.epoch?.version ?? 1n,
    ]);
    // Half of them with the right cluster, so that they get past the first check.
    const fixed = random.nextInt(2) === 0 ? { cluster_id: clusterId } : {};
    const fuzzer = new ProtoFuzzer(random, { numbers, fixed });
    for (const [service, address] of targets) {
      const caller = new RawCaller(address);
      for (let left = CALL_COUNT; left > 0; left--) {
        const method = oneOf(random, service.methods);
        const parts = Array.from({ length: 1 + random.nextInt(3) }, () => frame(fuzzer.bytes(method.input)));
        const outcome = await caller.call(pathOf(service, method), parts);
        judge(scene, `${service.name}.${method.name}`, outcome);
      }
      caller.close();
    }
  },
};

/** What is no message, no frame, no call. */
export const brokenFrames: Attack = {
  name: "broken frames",
  async run(scene) {
    const { cluster, random } = scene;
    const fuzzer = new ProtoFuzzer(random);
    for (const service of [KvService, RaftService, PdService, PdAdminService, PdMemberService]) {
      const isPd = service.typeName.includes("Pd");
      const caller = new RawCaller(isPd ? cluster.pdAddress : oneOf(random, cluster.stores).address);
      for (const method of service.methods) {
        const noise = fuzzer.noise(NOISE_MAX_BYTES);
        const compressed = frame(noise);
        compressed[0] = 1 + random.nextInt(255);
        const [parts, headers] = oneOf<readonly [Uint8Array[], Record<string, string>]>(random, [
          [[noise], {}],
          [[frame(noise)], {}],
          [[frame(noise, noise.length + 1 + random.nextInt(100))], {}],
          [[frame(noise, HUGE_LENGTH)], {}],
          [[compressed], {}],
          [[frame(noise)], { "grpc-encoding": "gzip" }],
          [[frame(noise)], { "grpc-timeout": oneOf(random, ["-1S", "99999999H", "0n", "x", ""]) }],
          [
            [frame(noise)],
            { "content-type": oneOf(random, ["text/plain", "application/grpc-web", "application/json"]) },
          ],
          [[], {}],
        ]);
        const outcome = await caller.call(pathOf(service, method), parts, headers);
        judge(scene, `${service.name}.${method.name}`, outcome);
      }
      judge(
        scene,
        "no method",
        await caller.call(`/${service.typeName}/${"x".repeat(1_000)}`, [frame(new Uint8Array(3))]),
      );
      caller.close();
    }
  },
};

/** Each call is answered, and none by a fault of the program. */
export function judge(
  scene: Scene,
  what: string,
  { grpcStatus, grpcMessage, rdbCode, isSilent }: CallOutcome,
): void {
  if (isSilent) {
    scene.found(`${what} gave no answer`);
  }
  if (rdbCode === "RDB_INTERNAL" || (grpcStatus === Code.Unknown && rdbCode === undefined)) {
    scene.found(`${what} answered ${rdbCode ?? "Unknown"}: ${decodeURIComponent(grpcMessage)}`);
  }
}
