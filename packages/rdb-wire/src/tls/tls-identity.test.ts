import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls from "node:tls";
import { type Clock, silentLogger, systemClock } from "@flaredb/rdb-base";
import { afterEach, beforeEach, expect, test } from "vitest";
import { httpWire } from "../http-wire.ts";
import { testFile } from "../testing/tls-files.ts";
import type { WireServer } from "../wire.ts";
import { TlsIdentity } from "./tls-identity.ts";

let folder: string;
let identity: TlsIdentity;
let server: WireServer;
let events: string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "rdb-tls-"));
  copyFileSync(testFile("ca.crt"), join(folder, "ca.crt"));
  put("member");
  identity = TlsIdentity.open({
    ca: join(folder, "ca.crt"),
    cert: join(folder, "own.crt"),
    key: join(folder, "own.key"),
  });
  server = httpWire(identity).serve({
    ...{ host: "127.0.0.1", port: 0, logger: silentLogger, clock: systemClock },
  });
  await server.listen();
  events = [];
});

afterEach(async () => {
  identity.close();
  await server.close(0);
  rmSync(folder, { recursive: true });
});

function put(name: "member" | "renewed"): void {
  copyFileSync(testFile(`${name}.crt`), join(folder, "own.crt"));
  copyFileSync(testFile(`${name}.key`), join(folder, "own.key"));
}

/** What the server calls itself on a new connection. */
async function seenName(): Promise<unknown> {
  const { secureContext } = identity;
  const socket = tls.connect({ host: "127.0.0.1", port: server.port, secureContext, ALPNProtocols: ["h2"] });
  await once(socket, "secureConnect");
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return CN;
}

/** A clock whose one timer fires when the test says so; `look` resolves when the next was set. */
function lookingClock(): { readonly clock: Clock; look(): Promise<void> } {
  let fire = (): void => {};
  let wasSet = (): void => {};
  const clock: Clock = {
    ...systemClock,
    setTimer: (_delayMs, callback) => {
      fire = callback;
      wasSet();
      return { cancel: () => (fire = () => {}) };
    },
  };
  const look = (): Promise<void> =>
    new Promise((resolve) => {
      wasSet = resolve;
      fire();
    });
  return { clock, look };
}

function watch(): () => Promise<void> {
  const { clock, look } = lookingClock();
  identity.watch({
    clock,
    onReplaced: () => events.push("replaced"),
    onUnusable: ({ code }) => events.push(code),
  });
  return look;
}

test("files that are replaced are found, and used for new connections", async () => {
  const look = watch();
  expect(await seenName()).toBe("member");
  await look();
  expect(events).toEqual([]);
  put("renewed");
  await look();
  expect(events).toEqual(["replaced"]);
  expect(await seenName()).toBe("renewed");
});

test("files that cannot be used leave those before in force, and that is told once", async () => {
  const look = watch();
  writeFileSync(join(folder, "own.crt"), "no certificate");
  for (let count = 0; count < 4; count++) {
    await look();
  }
  expect(events).toEqual(["RDB_CONFIG_INVALID"]);
  expect(await seenName()).toBe("member");
  rmSync(join(folder, "own.key"));
  await look();
  await look();
  await look();
  expect(events).toEqual(["RDB_CONFIG_INVALID", "RDB_CONFIG_INVALID"]);
  put("renewed");
  await look();
  expect(events.at(-1)).toBe("replaced");
  expect(await seenName()).toBe("renewed");
});

test("a certificate that is found before its key is no reason to say anything", async () => {
  const look = watch();
  copyFileSync(testFile("renewed.crt"), join(folder, "own.crt"));
  await look();
  put("renewed");
  await look();
  expect(events).toEqual(["replaced"]);
});

test("a reload looks at once, and tells what is wrong once", async () => {
  watch();
  writeFileSync(join(folder, "own.key"), "no key");
  await identity.reload();
  await identity.reload();
  expect(events).toEqual(["RDB_CONFIG_INVALID"]);
  put("renewed");
  await identity.reload();
  expect(await seenName()).toBe("renewed");
});

test("what was put back as it was counts as right", async () => {
  const look = watch();
  writeFileSync(join(folder, "own.key"), "no key");
  await identity.reload();
  put("member");
  await look();
  writeFileSync(join(folder, "own.key"), "no key");
  await identity.reload();
  expect(events).toEqual(["RDB_CONFIG_INVALID", "RDB_CONFIG_INVALID"]);
});
