import { MiB } from "@flaredb/rdb-base";
import { pause } from "../wait.ts";
import { closed, connectTo, host } from "./ports.ts";
import { type Attack, type Scene, httpAddresses, oneOf, rpcAddresses } from "./scene.ts";

const REQUEST_COUNT = 80;
const ANSWER_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 2_000;

/** Requests that two servers could read in two ways, and others that are none. */
const smuggled = [
  "GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /health HTTP/1.1\r\n\r\n",
  "POST /health HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
  "GET /health HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n",
  "GET http://[::1/ HTTP/1.1\r\nhost: x\r\n\r\n",
  "GET /%00%ff%zz HTTP/1.1\r\nhost: x\r\n\r\n",
  "GET / HTTP/1.1\r\nupgrade: h2c\r\nconnection: upgrade, http2-settings\r\nhttp2-settings: AAAA\r\n\r\n",
  "OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n",
  "GET /health HTTP/0.9\r\n\r\n",
  `GET /${"a".repeat(70_000)} HTTP/1.1\r\nhost: x\r\n\r\n`,
  `GET /health HTTP/1.1\r\nhost: x\r\n${"x: y\r\n".repeat(5_000)}\r\n`,
  "POST /api/v1/regions/scatter HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 999999999999\r\n\r\n{",
  "GET /health HTTP/1.1\r\nhost: x\r\n",
];

export const smuggling: Attack = {
  name: "smuggled requests",
  async run(scene) {
    for (const address of [...httpAddresses(scene), ...rpcAddresses(scene)]) {
      const socket = await connectTo(address);
      socket.resume();
      socket.end(oneOf(scene.random, smuggled));
      await Promise.race([closed(socket), pause(CLOSE_TIMEOUT_MS)]);
      socket.destroy();
    }
  },
};

const BODY_BYTES = 64 * MiB;
const SLOW_PIECES = 8;
const SLOW_PIECE_MS = 100;
const post = (headers: string): string =>
  `POST /api/v1/regions/scatter HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${headers}\r\n`;

/** Ways out of what is served, and into what is not to be. */
const paths = [
  "/../../../../etc/passwd",
  "/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
  "/..%5c..%5cetc%5cpasswd",
  "/assets/..%2f..%2f..%2fpackage.json",
  "/api/v1/../../../etc/passwd",
  "/api/v1/%2e%2e/%2e%2e/etc/passwd",
  "//etc/passwd",
  "/api/v1/regions/%00",
  "/api/v1/regions/1%0d%0aset-cookie:%20x",
  "/./api/v1/./health",
  `/api/v1/regions/${"9".repeat(400)}`,
  `/${"../".repeat(2_000)}etc/passwd`,
  `/?${"a=b&".repeat(3_000)}`,
  "/\ud83d\ude00",
];

/** A body that is too large, that never ends, whose pieces lie about their size or come late; too many headers; paths that lead elsewhere. */
export const bodiesAndPaths: Attack = {
  name: "bodies and paths",
  async run(scene) {
    const addresses = [scene.victim.pdHttpUrl, ...scene.victim.stores.map(({ httpUrl }) => httpUrl)].map(
      host,
    );
    const large = "x".repeat(BODY_BYTES);
    const pieces = [
      [post(`content-length: ${BODY_BYTES}\r\n`), large],
      [post("transfer-encoding: chunked\r\n"), `${BODY_BYTES.toString(16)}\r\n`, large, "\r\n0\r\n\r\n"],
      [post("transfer-encoding: chunked\r\n"), "5\r\nabcdefgh\r\n0\r\n\r\n"],
      [post("transfer-encoding: chunked\r\n"), "ffffffffffffffffff\r\n{}"],
      [post("transfer-encoding: chunked\r\n"), "-1\r\n{}\r\n0\r\n\r\n"],
      [post("transfer-encoding: gzip\r\n"), "{}"],
      [post("content-encoding: gzip\r\ncontent-length: 2\r\n"), "{}"],
      [post("expect: 100-continue\r\ncontent-length: 2\r\n"), "{}"],
      [`GET /health HTTP/1.1\r\nhost: x\r\n${`${"h".repeat(200)}: ${"v".repeat(200)}\r\n`.repeat(500)}\r\n`],
      [`GET /health HTTP/1.1\r\nhost: x\r\ncookie: ${"c".repeat(200_000)}\r\n\r\n`],
      [post("transfer-encoding: chunked\r\n"), ...Array.from({ length: SLOW_PIECES }, () => "1\r\n{\r\n")],
    ];
    for (const address of addresses) {
      for (const request of pieces) {
        await told(scene, address, request);
      }
      for (const path of paths) {
        const answer = await told(scene, address, [
          `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
        ]);
        if (answer.includes("root:") || answer.includes('"private": true') || /^set-cookie/im.test(answer)) {
          scene.found(`${address} gave away what ${path} names`);
        }
      }
    }
  },
};

/** Sends the pieces, the later ones slowly when there are many. @returns what is answered, as far as it came in time */
async function told(scene: Scene, address: string, pieces: readonly string[]): Promise<string> {
  const socket = await connectTo(address);
  let answer = "";
  socket.on("data", (chunk: Buffer) => {
    answer += chunk.toString("latin1");
  });
  const isOver = closed(socket);
  for (const piece of pieces) {
    socket.write(piece);
    await (pieces.length > SLOW_PIECES ? pause(SLOW_PIECE_MS) : undefined);
  }
  socket.end();
  await Promise.race([isOver, pause(CLOSE_TIMEOUT_MS)]);
  socket.destroy();
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
  if (status >= 500 && status !== 501 && status !== 503) {
    scene.found(`${address} answered ${status} to ${pieces[0]?.slice(0, 60)}`);
  }
  return answer;
}

const values = [
  "0",
  "-1",
  "1",
  "2",
  "999",
  "18446744073709551616",
  "NaN",
  "",
  "a",
  "%00",
  "..%2f..",
  "x".repeat(9_000),
];
const bodies = [
  "",
  "{}",
  "[]",
  "null",
  '"x"',
  "{",
  '{"__proto__":{"a":1}}',
  `${"[".repeat(20_000)}`,
  '{"keys":[""],"count":1e999}',
];

interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationDescription>>>>;
}

interface OperationDescription {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
}

/** What the admin API describes of itself, asked with parameters and bodies that it does not describe. */
export const adminApi: Attack = {
  name: "admin API",
  async run(scene) {
    const { victim, random } = scene;
    const base = `${victim.pdHttpUrl}/api/v1`;
    const description = (await (await fetch(`${base}/openapi.json`)).json()) as Description;
    const operations = Object.entries(description.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { parameters = [] }]) => ({ path, method, parameters })),
    );
    for (let left = REQUEST_COUNT; left > 0; left--) {
      const { path, method, parameters } = oneOf(random, operations);
      const query = parameters
        .filter(({ in: place }) => place === "query")
        .map(({ name }) => `${name}=${oneOf(random, values)}`);
      const filled = path.replaceAll(/\{[^}]+\}/g, () => oneOf(random, values));
      const relative = filled.replace(/^\/api\/v1/, "");
      await ask(scene, method.toUpperCase(), `${base}${relative}?${query.join("&")}`);
    }
    for (const url of [victim.pdHttpUrl, ...victim.stores.map(({ httpUrl }) => httpUrl)]) {
      await ask(scene, "GET", `${url}/${oneOf(random, values)}`);
      await ask(scene, "GET", `${url}/metrics`);
      await ask(scene, "GET", `${url}/api/v1/regions?x=${oneOf(random, values)}`);
    }
  },
};

async function ask(scene: Scene, method: string, url: string): Promise<void> {
  const takesBody = method !== "GET" && method !== "HEAD";
  const end = new AbortController();
  const timer = setTimeout(() => end.abort(), ANSWER_TIMEOUT_MS);
  try {
    const { status } = await fetch(url, {
      method,
      signal: end.signal,
      headers: {
        "content-type": oneOf(scene.random, ["application/json", "application/json", "text/plain"]),
      },
      ...(takesBody ? { body: oneOf(scene.random, bodies) } : {}),
    });
    if (status >= 500 && status !== 503) {
      scene.found(`${method} ${url} answered ${status}`);
    }
  } catch (error) {
    scene.found(`${method} ${url} gave no answer: ${String(error)}`);
  } finally {
    clearTimeout(timer);
    // An answer may be a stream without an end.
    end.abort();
  }
}
