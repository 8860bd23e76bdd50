import type { RdbError } from "@flaredb/rdb-base";
import { callEcho, putRequest, putResponse, serveEcho } from "@flaredb/rdb-wire/testing";
import type { SimNetOptions } from "../sim-net.ts";
import { TwoHosts } from "./two-hosts.ts";

/** A stream and its connection, on the calling side. */
type Caller = ReturnType<typeof callEcho>;

export interface EchoWorld {
  readonly hosts: TwoHosts;
  readonly caller: Caller;
  /** Request ids that the server's process has seen, in order. */
  readonly arrived: number[];
  readonly serverClosed: (RdbError | undefined)[];
}

/** A client with a stream to a server that answers, both connected. */
export async function connected(
  options: {
    readonly seed?: number;
    readonly net?: Partial<SimNetOptions>;
    readonly call?: Parameters<typeof callEcho>[2];
  } = {},
): Promise<EchoWorld> {
  const hosts = new TwoHosts(options.seed ?? 1, options.net);
  const arrived: number[] = [];
  const serverClosed: (RdbError | undefined)[] = [];
  const server = await serveEcho(hosts.fixture, {
    port: 7410,
    onRequests: (stream, requests) => {
      for (const request of requests) {
        arrived.push(request.requestId);
        stream.push(putResponse(request.requestId));
      }
    },
    onClosed: (error) => serverClosed.push(error),
  });
  const caller = callEcho(hosts.fixture, server.address, options.call);
  caller.stream.push(putRequest(0));
  await hosts.fixture.settle(caller.answers(1));
  arrived.length = 0;
  caller.received.length = 0;
  return { hosts, caller, arrived, serverClosed };
}

/** Pushes one request each millisecond, so that each is a message of its own. */
export async function pushSlowly({ hosts, caller }: EchoWorld, count: number): Promise<number[]> {
  const ids = Array.from({ length: count }, (_, place) => place + 1);
  for (const id of ids) {
    caller.stream.push(putRequest(id));
    await hosts.clock.run(1);
  }
  return ids;
}
