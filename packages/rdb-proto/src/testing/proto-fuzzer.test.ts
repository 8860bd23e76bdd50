import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { SeededRandom } from "@flaredb/rdb-base";
import { describe, expect, test } from "vitest";
import { file_rdb_v1_kv_service } from "../gen/rdb/v1/kv_service_pb.ts";
import { file_rdb_v1_pd_admin } from "../gen/rdb/v1/pd_admin_pb.ts";
import { file_rdb_v1_pd_service } from "../gen/rdb/v1/pd_service_pb.ts";
import { RaftServiceBatchRequestSchema, file_rdb_v1_raft_service } from "../gen/rdb/v1/raft_service_pb.ts";
import { ProtoFuzzer } from "./proto-fuzzer.ts";

const files = [
  file_rdb_v1_kv_service,
  file_rdb_v1_pd_admin,
  file_rdb_v1_pd_service,
  file_rdb_v1_raft_service,
];
const schemas = files.flatMap((file) => file.messages);

describe("ProtoFuzzer", () => {
  test.each(schemas.map((desc) => [desc.typeName, desc] as const))("makes a valid %s", (_name, desc) => {
    const fuzzer = new ProtoFuzzer(new SeededRandom(7));
    for (let left = 20; left > 0; left--) {
      const bytes = toBinary(desc, fuzzer.message(desc));
      expect(toBinary(desc, fromBinary(desc, bytes)).length).toBe(bytes.length);
    }
  });

  test("the same seed makes the same bytes, another one others", () => {
    const made = [5, 5, 6].map((seed) => {
      const fuzzer = new ProtoFuzzer(new SeededRandom(seed), { numbers: [42n] });
      return Array.from({ length: 10 }, () =>
        Buffer.from(fuzzer.bytes(RaftServiceBatchRequestSchema)).toString("hex"),
      );
    });
    expect(made[0]).toEqual(made[1]);
    expect(made[0]).not.toEqual(made[2]);
  });

  test("a fixed field has its value everywhere", () => {
    const fuzzer = new ProtoFuzzer(new SeededRandom(1), { fixed: { cluster_id: 9n } });
    for (let left = 50; left > 0; left--) {
      const message = fuzzer.message(RaftServiceBatchRequestSchema);
      expect("clusterId" in message && message.clusterId).toBe(9n);
    }
  });
});
