import { create, toBinary } from "@bufbuild/protobuf";
import { type Peer, type Random, type Region, SeededRandom } from "@flaredb/rdb-base";
import {
  type Message,
  MessageSchema,
  MessageType,
  type RaftMessage,
  RaftMessageSchema,
  type RaftServiceBatchRequest,
  RaftServiceBatchRequestSchema,
  peerToProto,
  regionToProto,
} from "@flaredb/rdb-proto";
import { ProtoFuzzer } from "@flaredb/rdb-proto/testing";
import { encodeSnapshotDescription } from "../peer/snapshot-description.ts";
import { messageTypeNumbers } from "../transport/raft-enums.ts";

/** How the Region stands that is lied about: lies that are near the truth go further than those that are far from it. */
export interface Truth {
  readonly region: Region;
  readonly term: number;
  readonly lastIndex: number;
}

/** One field in this many is a lie too wild to get past the decoder. */
const WILD_ONE_IN = 12;

/**
 * Says of a Region what no Store says: any message of Raft, to the right peers, with terms, indexes, entries and
 * snapshots that cannot be. The same seed, the same lies.
 */
export class LyingPeer {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  /** A message from one of the Region's peers to another one. */
  message(truth: Truth, to: Peer): RaftMessage {
    const { region } = truth;
    const others = region.peers.filter(({ id }) => id !== to.id);
    const fuzzer = this.#fuzzer(truth);
    const wild = fuzzer.message(RaftMessageSchema) as RaftMessage;
    const from = others[this.#random.nextInt(others.length)] ?? to;
    const envelope = {
      ...wild,
      regionId: BigInt(region.id),
      // Also: in the name of the peer that it is for.
      fromPeer: peerToProto(this.#seldom() ? { ...from, id: to.id } : from),
      toPeer: peerToProto(to),
      epoch: this.#seldom() ? wild.epoch : regionToProto(region).epoch,
    };
    if (this.#random.nextInt(6) === 0) {
      return create(RaftMessageSchema, envelope);
    }
    const value = this.#raftMessage(truth, fuzzer.message(MessageSchema) as Message);
    return create(RaftMessageSchema, { ...envelope, payload: { case: "message", value } });
  }

  /** As it travels. */
  batch(
    messages: readonly RaftMessage[],
    ends: Pick<RaftServiceBatchRequest, "clusterId" | "fromStoreId" | "toStoreId">,
  ): Uint8Array {
    return toBinary(
      RaftServiceBatchRequestSchema,
      create(RaftServiceBatchRequestSchema, { ...ends, bootId: 1n, messages: [...messages] }),
    );
  }

  #fuzzer({ region, term, lastIndex }: Truth): ProtoFuzzer {
    const ids = region.peers.flatMap(({ id, storeId }) => [BigInt(id), BigInt(storeId)]);
    const last = BigInt(lastIndex);
    const state = { index: lastIndex + 5, term, revision: 1, logTimeMs: 1 };
    return new ProtoFuzzer(this.#random, {
      numbers: [...ids, BigInt(term), BigInt(term), last, last, last - 1n, last + 5n],
      bytes: [encodeSnapshotDescription(region, state as Parameters<typeof encodeSnapshotDescription>[1])],
    });
  }

  #raftMessage({ term, lastIndex, region }: Truth, wild: Message): Message {
    const message: Message = {
      ...wild,
      type: this.#seldom() ? wild.type : this.#one(TYPES),
      term: this.#seldom() ? wild.term : BigInt(term + this.#one([-1, 0, 0, 0, 0, 1])),
      index: this.#seldom() ? wild.index : this.#near(lastIndex),
      commit: this.#seldom() ? wild.commit : this.#near(lastIndex),
      logTerm: this.#seldom() ? wild.logTerm : BigInt(term),
    };
    const { index } = message;
    if (message.type === MessageType.APPEND && !this.#seldom()) {
      message.entries.forEach((entry, place) => {
        entry.index = BigInt.asUintN(64, index + 1n + BigInt(place));
        entry.term = BigInt(term);
      });
    }
    if (message.type !== MessageType.SNAPSHOT) {
      delete message.snapshot;
    } else if (message.snapshot?.metadata?.confState !== undefined && !this.#seldom()) {
      message.snapshot.metadata.confState.voters = region.peers.map(({ id }) => BigInt(id));
      message.snapshot.metadata.index = this.#near(lastIndex);
    }
    return message;
  }

  #near(value: number): bigint {
    return BigInt(Math.max(0, value + this.#one([-2, -1, 0, 0, 1, 5, 1_000_000])));
  }

  #seldom(): boolean {
    return this.#random.nextInt(WILD_ONE_IN) === 0;
  }

  #one<Value>(of: readonly Value[]): Value {
    return of[this.#random.nextInt(of.length)] as Value;
  }
}

/** All that travel. */
const TYPES: readonly MessageType[] = Object.values(messageTypeNumbers);
