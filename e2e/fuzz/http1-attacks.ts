import { pause } from "../wait.ts";
import { closed, connectTo } from "./ports.ts";
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
