import { RdbError } from "@flaredb/rdb-base";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import { type AccessRules, accessRefusal } from "./access.ts";
import { DOCS_HEADERS, docsPage } from "./docs-page.ts";
import type { ApiSource, Endpoint } from "./endpoint.ts";
import { endpoints } from "./endpoints.ts";
import { leaderOf } from "./leader-location.ts";
import { openApiDocument } from "./openapi.ts";
import { type FieldError, PROBLEM_MEDIA_TYPE, type Problem, invalidInput, problemOf } from "./problem.ts";

/** Most bytes of a request's body. */
export const BODY_MAX_BYTES = 1_048_576;

/** Seconds after which to ask again where PD says "not now". */
const RETRY_AFTER_S = 1;

export interface AdminApiOptions {
  readonly access: AccessRules;
  /** @throws RdbError RDB_UNAVAILABLE while PD is starting */
  readonly source: () => ApiSource;
}

/** PD's API under `/api/v1`, as a plugin of the HTTP server: every endpoint with its checks, and its documents. */
export function adminApi(options: AdminApiOptions): (server: FastifyInstance) => Promise<void> {
  return async (server) => {
    // JSON alone: a form of a web page can send text without asking first.
    server.removeContentTypeParser("text/plain");
    for (const endpoint of endpoints) {
      addRoute(server, endpoint, options);
    }
    const documents = once(() => ({ openApi: openApiDocument(endpoints), docs: docsPage(endpoints) }));
    server.get("/openapi.json", () => documents().openApi);
    server.get("/docs", (_request, reply) => reply.headers(DOCS_HEADERS).send(documents().docs));
    server.setErrorHandler((error: FastifyError, request, reply) =>
      sendProblem(error, request, reply, options),
    );
    server.setNotFoundHandler((request, reply) => {
      const message = `there is no ${request.method} ${request.url.split("?")[0]}: see /api/v1/docs`;
      return sendProblem(new RdbError("RDB_NOT_FOUND", message), request, reply, options);
    });
  };
}

function addRoute(server: FastifyInstance, endpoint: Endpoint, options: AdminApiOptions): void {
  server.route({
    method: endpoint.method,
    url: endpoint.path.replaceAll(/\{(\w+)\}/g, ":$1"),
    bodyLimit: BODY_MAX_BYTES,
    // Before the body is read: who may not ask is not listened to.
    onRequest: async (request) => {
      const refusal =
        endpoint.access === "public" ? undefined : accessRefusal(options.access, request.headers);
      if (refusal !== undefined) {
        throw refusal;
      }
    },
    handler: async (request, reply) => {
      const input = checkedInput(endpoint, request);
      const source = options.source();
      const answer = await endpoint.handle(input, source);
      return reply
        .status(endpoint.status ?? 200)
        .header("cache-control", "no-store")
        .type(endpoint.mediaType ?? "application/json; charset=utf-8")
        .send(answer);
    },
  });
}

/** @throws RdbError RDB_INVALID_ARGUMENT naming every field that is wrong, wherever it stands */
function checkedInput(endpoint: Endpoint, request: FastifyRequest): Parameters<Endpoint["handle"]>[0] {
  const errors: FieldError[] = [];
  const check = (schema: z.ZodType | undefined, value: unknown): unknown => {
    const result = schema?.safeParse(value);
    errors.push(...(result?.error?.issues ?? []).flatMap(fieldErrors));
    return result?.data;
  };
  const input = {
    params: check(endpoint.params, request.params),
    query: check(endpoint.query, request.query),
    body: check(endpoint.body, request.body),
  };
  if (errors.length > 0) {
    throw invalidInput(errors);
  }
  return input;
}

function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  const at = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ field: [...at, key].join("."), message: "is not known here" }));
  }
  return [{ field: at.join(".") || "body", message: issue.message }];
}

function sendProblem(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  { source }: AdminApiOptions,
): FastifyReply {
  const refusal = refusalOf(error);
  const leader = refusal.code === "RDB_NOT_LEADER" ? leaderOf(source().group) : undefined;
  const problem: Problem = {
    ...problemOf(refusal, httpStatus(error)),
    ...(leader === undefined ? {} : { leader }),
  };
  const status = leader === undefined ? problem.status : 307;
  reply.status(status).header("cache-control", "no-store").type(PROBLEM_MEDIA_TYPE);
  if (leader !== undefined) {
    reply.header("location", `${request.protocol}://${leader.httpAddress}${request.url}`);
  }
  if (status === 503) {
    reply.header("retry-after", RETRY_AFTER_S);
  }
  if (status === 401) {
    reply.header("www-authenticate", 'Bearer realm="FlareDB"');
  }
  return reply.send(JSON.stringify({ ...problem, status }));
}

/** What fastify itself refuses (no JSON, too large) is the caller's mistake. */
function refusalOf(error: unknown): RdbError {
  const status = httpStatus(error);
  return status !== undefined && status < 500
    ? invalidInput([{ field: "body", message: RdbError.from(error).message }])
    : RdbError.from(error);
}

/** Of an error of fastify's. */
function httpStatus(error: unknown): number | undefined {
  return error instanceof Error && "statusCode" in error && typeof error.statusCode === "number"
    ? error.statusCode
    : undefined;
}

function once<Value>(make: () => Value): () => Value {
  let made: Value | undefined;
  return () => (made ??= make());
}
