import { expect, test } from "vitest";
import { callProblem } from "./check-call.ts";
import { shellLines } from "./shell.ts";

test("a line is cut into calls; what stands behind # is for the reader, or says what is printed", () => {
  expect(
    shellLines("npx  rdb get apple   # → 1\n\n# only a comment\nA=b npm test && mv 'x y' \"z#1\"\n"),
  ).toEqual([
    {
      source: "npx rdb get apple",
      calls: [{ environment: {}, words: ["npx", "rdb", "get", "apple"] }],
      output: "1",
    },
    {
      source: "A=b npm test && mv 'x y' \"z#1\"",
      calls: [
        { environment: { A: "b" }, words: ["npm", "test"] },
        { environment: {}, words: ["mv", "x y", "z#1"] },
      ],
      output: undefined,
    },
  ]);
});

test("a line that ends with a backslash goes on in the next", () => {
  expect(shellLines("rdb pd --name pd-1 \\\n  --port 7400\n").map(({ source }) => source)).toEqual([
    "rdb pd --name pd-1 --port 7400",
  ]);
});

test.each([
  ["npx rdb region lsit", /unknown command|too many/],
  ["npx rdb put apple 1 --wait", /unknown option/],
  ["npx rdb put", /missing required argument/],
  ["rdb server --data-dir d --prot 7410", /prot/],
  ["rdb-pd --config deploy/config/nowhere.json", /nowhere/],
  ["npm run demo:towns", /no npm script/],
  ["npm run chaos --minutes 2", /behind --/],
  ["npm run chaos -- --hours 2", /Unknown option/],
  ["npm run chaos -- --only kill-reader", /kill-reader/],
  ["npm run sim -- --seeds many", /integer/],
  ["npx vitest run e2e/nothing.e2e.test.ts", /no e2e|e2e\/nothing/],
  ["scripts/verify-nothing.sh", /no scripts/],
  ["docker-compose -f deploy/docker-compose.yaml exec pd-9 rdb get apple", /pd-9/],
  ["docker-compose -f deploy/docker-compose.yaml exec pd-1 rdb gte apple", /gte/],
  ["docker-compose -f deploy/docker-compose.yaml --profile shrink up", /shrink/],
  ["kubectl exec flaredb-pg-0 -- rdb cluster status", /flaredb-pg-0/],
  ['kubectl patch statefulset flaredb-store --patch \'{"spec":{"updateStrategi":{}}}\'', /updateStrategi/],
  ["systemctl restart rdb-stroe", /rdb-stroe/],
  ["curl --insecure http://127.0.0.1:7401/health", /Unknown option/],
  ["etcdctl get apple", /nothing is known/],
])("%s is found to be wrong", async (source, problem) => {
  const [line] = shellLines(source);
  expect(await callProblem(line?.calls[0]?.words ?? [])).toMatch(problem);
});
