import { create } from "@bufbuild/protobuf";
import { type KvResponse, RegionHeaderSchema } from "@flaredb/rdb-proto";
import { type KvCommand, getCommand, kvRequest, text } from "@flaredb/rdb-server/testing";
import type { Scenario, StoreMember } from "./scenario.ts";

export interface AskOptions {
  /** Asks for a read that a follower may serve. Default: only the leader may. */
  readonly fromFollower?: boolean;
  /** In ms. Default 3,000. */
  readonly timeoutMs?: number;
  /** The Region's place. Default 0. */
  readonly region?: number;
}

/** What one Store says: the answer; the name of a Region error; `silence` when it says nothing in time. */
export type StoreAnswer =
  | { readonly kind: "value"; readonly value: string | undefined }
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "silence" };

const DEFAULT_TIMEOUT_MS = 3_000;
/** A Store answers at the latest when the time is over that the request has. */
const GRACE_MS = 200;

/** Reads a key at one Store, whoever leads: there is no client that would look for another Store. */
export function askStore(
  scenario: Scenario,
  store: StoreMember,
  key: string,
  options: AskOptions = {},
): Promise<StoreAnswer> {
  return ask(scenario, store, getCommand(key), options);
}

function ask(
  scenario: Scenario,
  store: StoreMember,
  command: KvCommand,
  { fromFollower = false, timeoutMs = DEFAULT_TIMEOUT_MS, region = 0 }: AskOptions,
): Promise<StoreAnswer> {
  const { id, epoch } = scenario.statusOf(store, region).region;
  const header = create(RegionHeaderSchema, {
    regionId: BigInt(id),
    epoch: { confVer: BigInt(epoch.confVer), version: BigInt(epoch.version) },
  });
  const request = kvRequest({ requestId: 1, command, timeoutMs, fromFollower });
  return new Promise((resolve) => {
    scenario.cluster.clock.setTimer(timeoutMs + GRACE_MS, () => resolve({ kind: "silence" }));
    store.process.call((running) =>
      running.store.handle(header, [request], (response) => resolve(answerOf(response))),
    );
  });
}

function answerOf({ result }: KvResponse): StoreAnswer {
  switch (result.case) {
    case "get":
      return { kind: "value", value: result.value.found ? text(result.value.value) : undefined };
    case "error":
      return { kind: "refused", reason: result.value.reason.case ?? "unknown" };
    default:
      throw new Error(`a get is answered with ${String(result.case)}`);
  }
}
