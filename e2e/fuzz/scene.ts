import type { Random } from "@flaredb/rdb-base";
import type { TestCluster } from "../cluster.ts";
import { host } from "./ports.ts";

/** What is attacked. */
export interface Scene {
  /** Serves a client all the while: what harms what is said about others must not reach it. */
  readonly cluster: TestCluster;
  /** May be talked into anything that a placement driver obeys: it must only not break. */
  readonly victim: TestCluster;
  readonly random: Random;
  /** What should not be, in words. */
  found(finding: string): void;
}

/** One way to harm. Resolves when it is over and everything of it is closed; what it finds it tells the scene. */
export interface Attack {
  readonly name: string;
  run(scene: Scene): Promise<void>;
}

/** Every RPC port that must go on serving. */
export function rpcAddresses({ cluster }: Scene): string[] {
  return [cluster.pdAddress, ...cluster.stores.map(({ address }) => address)];
}

/** Every HTTP port that must go on serving, as host:port. */
export function httpAddresses({ cluster }: Scene): string[] {
  return [cluster.pdHttpUrl, ...cluster.stores.map(({ httpUrl }) => httpUrl)].map(host);
}

export function oneOf<Value>(random: Random, of: readonly Value[]): Value {
  return of[random.nextInt(of.length)] as Value;
}
