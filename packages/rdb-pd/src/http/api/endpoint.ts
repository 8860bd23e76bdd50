import type { Readable } from "node:stream";
import type { ErrorCode } from "@flaredb/rdb-base";
import type { z } from "zod";
import type { DataReader } from "../../data/data-reader.ts";
import type { DataWriter } from "../../data/data-writer.ts";
import type { RunningPd } from "../../run-pd.ts";
import type { Traffic } from "../../traffic/traffic.ts";

/** What the endpoints ask and change. */
export interface ApiSource extends Pick<RunningPd, "calls" | "driver" | "group"> {
  /** What the cluster is asked for. */
  readonly traffic: Pick<Traffic, "points" | "heat">;
  /** Rows of the users' data. */
  readonly data: DataReader;
  /** Changes them, where that is allowed. */
  readonly dataWriter: DataWriter;
}

/** `public`: anybody, on any member; `member`: any member; `leader`: the member that leads. The latter two may want a token. */
type EndpointAccess = "public" | "member" | "leader";

/** By what the endpoints are grouped in the documents. */
type EndpointTag =
  | "health"
  | "cluster"
  | "stores"
  | "regions"
  | "operators"
  | "schedulers"
  | "config"
  | "members"
  | "recoveries"
  | "traffic"
  | "data"
  | "events";

interface EndpointHead {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below `/api/v1`, with parameters as `{storeId}`. */
  readonly path: string;
  /** Unique; the name of the operation in generated clients. */
  readonly id: string;
  readonly tag: EndpointTag;
  readonly summary: string;
  readonly description?: string;
  readonly access: EndpointAccess;
  /** Of the answer; JSON unless said. What is a stream then, its schema calls a string. */
  readonly mediaType?: string;
  /** Of the answer; 200 unless said. 202: something was begun. */
  readonly status?: 200 | 201 | 202;
  /** Codes with which it refuses beside those that its access and its input bring along. */
  readonly refuses?: readonly ErrorCode[];
}

/** Checked input. */
interface EndpointInput<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
}

interface EndpointDefinition<Params, Query, Body, Answer> extends EndpointHead {
  readonly params?: z.ZodType<Params>;
  readonly query?: z.ZodType<Query>;
  readonly body?: z.ZodType<Body>;
  readonly answer: z.ZodType<Answer>;
  readonly handle: (
    input: EndpointInput<Params, Query, Body>,
    source: ApiSource,
  ) => Answer | Promise<Answer> | Readable;
}

/** One operation of the API: from this the route, its checks, the OpenAPI document and the documents for people are made. */
export interface Endpoint extends EndpointHead {
  readonly params: z.ZodType | undefined;
  readonly query: z.ZodType | undefined;
  readonly body: z.ZodType | undefined;
  readonly answer: z.ZodType;
  /** @param input what the three schemas made of a request */
  readonly handle: (input: EndpointInput<unknown, unknown, unknown>, source: ApiSource) => unknown;
}

/** Lets the handler be checked against its schemas. */
export function endpoint<Answer, Params = undefined, Query = undefined, Body = undefined>(
  definition: EndpointDefinition<Params, Query, Body, Answer>,
): Endpoint {
  const { params, query, body, handle } = definition;
  return {
    ...definition,
    ...{ params, query, body },
    // Whoever calls it has put the input through the schemas of this same definition.
    handle: (input, source) => handle(input as EndpointInput<Params, Query, Body>, source),
  };
}
