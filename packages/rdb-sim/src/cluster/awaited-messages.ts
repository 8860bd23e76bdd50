import type { AwaitedMessage } from "../faults/injector.ts";
import type { SimNet } from "../wire/sim-net.ts";

/** Where snapshots are offered and sent. */
const TRANSFER_PATHS: ReadonlySet<string> = new Set([
  "/rdb.v1.RaftService/OfferSnapshot",
  "/rdb.v1.RaftService/Snapshot",
]);
const AWAITED_PATHS: { readonly [What in AwaitedMessage]: string } = {
  "new ids": "/rdb.v1.PdService/AllocateIds",
  "command of PD": "/rdb.v1.PdService/RegionHeartbeat",
  "offer of a snapshot": "/rdb.v1.RaftService/OfferSnapshot",
};

/** Calls back once, at the so manieth message of a snapshot's transfer that reaches the host. @returns does not */
export function atTransferMessage(
  net: SimNet,
  host: string,
  messageCount: number,
  callback: () => void,
): () => void {
  let remaining = messageCount;
  const stop = net.watch(({ kind, to, path }) => {
    if (kind === "deliver" && to === host && TRANSFER_PATHS.has(path) && --remaining === 0) {
      stop();
      callback();
    }
  });
  return stop;
}

/**
 * Calls back once, at the first message of the kind that is delivered to somebody.
 *
 * @param receiverOf who of those that are wanted a host is, if any
 * @returns does not
 */
export function atMessage<Receiver>(
  net: SimNet,
  what: AwaitedMessage,
  receiverOf: (host: string) => Receiver | undefined,
  callback: (to: Receiver) => void,
): () => void {
  const stop = net.watch(({ kind, to, path }) => {
    const receiver = kind === "deliver" && path === AWAITED_PATHS[what] ? receiverOf(to) : undefined;
    if (receiver !== undefined) {
      stop();
      callback(receiver);
    }
  });
  return stop;
}
