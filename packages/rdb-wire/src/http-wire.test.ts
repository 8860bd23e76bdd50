import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "@flaredb/rdb-base";
import { describe, test } from "vitest";
import { httpWire } from "./http-wire.ts";
import { startHungPort } from "./testing/hung-port.ts";
import { startProxy } from "./testing/proxy.ts";
import { testIdentity } from "./testing/tls-files.ts";
import { wireContract } from "./testing/wire-contract.ts";
import type { WireFixture } from "./testing/wire-fixture.ts";
import type { TlsIdentity } from "./tls/tls-identity.ts";
import type { Wire } from "./wire.ts";

/** A wire whose servers and connections are closed at the end of a case. */
function closingWire(cleanups: (() => unknown)[], tls: TlsIdentity | undefined): Wire {
  const wire = httpWire(tls);
  return {
    serve: (options) => {
      const server = wire.serve(options);
      cleanups.push(() => server.close(0));
      return server;
    },
    connect: (options) => {
      const connection = wire.connect(options);
      cleanups.push(() => connection.close());
      return connection;
    },
    unary: (address, options) => {
      const caller = wire.unary(address, options);
      cleanups.push(() => caller.close());
      return caller;
    },
  };
}

function fixtureOf(cleanups: (() => unknown)[], tls: TlsIdentity | undefined): WireFixture {
  const wire = closingWire(cleanups, tls);
  let silence = (): void => {};
  return {
    server: wire,
    serverClock: systemClock,
    client: wire,
    clientClock: systemClock,
    host: "127.0.0.1",
    settle: (promise) => promise,
    pass: (durationMs) => sleep(durationMs),
    reach: async (server) => {
      const proxy = await startProxy(server.port);
      cleanups.push(() => proxy.close());
      silence = () => proxy.silence();
      return proxy.address;
    },
    silence: () => silence(),
    endsBeforeReset: tls !== undefined,
    hungAddress: async () => {
      const port = await startHungPort();
      cleanups.push(() => port.close());
      return port.address;
    },
  };
}

describe.each([
  ["HTTP/2", () => undefined],
  ["HTTP/2 on mutual TLS", () => testIdentity("member")],
])("the Wire contract, on %s", (_name, tls) => {
  for (const { name, run } of wireContract) {
    test(name, async () => {
      const cleanups: (() => unknown)[] = [];
      try {
        await run(fixtureOf(cleanups, tls()));
      } finally {
        for (const cleanup of cleanups.toReversed()) {
          await cleanup();
        }
      }
    });
  }
});
