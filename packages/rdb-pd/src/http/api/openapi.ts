import { z } from "zod";
import { PROGRAM_VERSION } from "../../version.ts";
import { documentedStatuses } from "./documented-statuses.ts";
import type { Endpoint } from "./endpoint.ts";
import { PROBLEM_MEDIA_TYPE, problemSchema } from "./problem.ts";
import { statusMeanings } from "./status-meanings.ts";

type Json = Readonly<Record<string, unknown>>;

/** The mark under which zod puts named schemas, and where OpenAPI has them. */
const DEFS = "#/$defs/";
const COMPONENTS = "#/components/schemas/";

/** What holds for all of it, as Markdown. */
export const API_DESCRIPTION = `What people and programs ask of the placement driver (PD), and how they change what it does. Every
change goes the way of the command line's: the same checks, the same refusals.

Ids are numbers, and so are counts, bytes and milliseconds since 1970; all are safe integers. \`clusterId\` is text. A key
is text with every byte that is no printable ASCII character, and the backslash, as \\xNN; beside it stands the same as
hexadecimal digits, in the field with \`Hex\` at its end. Requests take either. Errors are RFC 9457 problem details with
a stable \`code\`.

A member of PD that does not lead answers with 307 to the leader's address, where the problem names it too; with 503 while
none is known. Many HTTP clients drop the token at such a redirect: ask the leader itself.

Without a token (\`--admin-token-file\`) the API is there on loopback alone.`;

/** The API as an OpenAPI 3.1 document, made of the endpoints' own schemas. */
export function openApiDocument(endpoints: readonly Endpoint[]): Json {
  const components = new Map<string, unknown>();
  const schemaOf = (schema: z.ZodType, io: "input" | "output"): Json => jsonSchema(schema, io, components);
  const problem = schemaOf(problemSchema, "output");
  const paths: Record<string, Record<string, unknown>> = {};
  for (const endpoint of endpoints) {
    const path = (paths[`/api/v1${endpoint.path}`] ??= {});
    path[endpoint.method.toLowerCase()] = operation(endpoint, problem, schemaOf);
  }
  return {
    openapi: "3.1.0",
    info: { title: "FlareDB placement driver", version: PROGRAM_VERSION, description: API_DESCRIPTION },
    servers: [{ url: "/" }],
    tags: [...new Set(endpoints.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: Object.fromEntries(components),
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
    },
  };
}

function operation(
  endpoint: Endpoint,
  problem: Json,
  schemaOf: (schema: z.ZodType, io: "input" | "output") => Json,
): Json {
  const { id, tag, summary, description, access, params, query, body, answer } = endpoint;
  const parameters = [...parametersOf("path", params, schemaOf), ...parametersOf("query", query, schemaOf)];
  const [status, ...refusals] = documentedStatuses(endpoint);
  const answered = {
    description: statusMeanings[Number(status)],
    content: { [endpoint.mediaType ?? "application/json"]: { schema: schemaOf(answer, "output") } },
  };
  return {
    operationId: id,
    ...{ tags: [tag], summary },
    ...(description === undefined ? {} : { description }),
    ...(access === "public" ? { security: [] } : { security: [{ token: [] }, {}] }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: requestBody(schemaOf(body, "input")) }),
    responses: {
      [Number(status)]: answered,
      ...Object.fromEntries(refusals.map((refusal) => [refusal, refusalOf(refusal, problem)])),
      default: refusalOf(500, problem),
    },
  };
}

function requestBody(schema: Json): Json {
  return { required: true, content: { "application/json": { schema } } };
}

function refusalOf(status: number, schema: Json): Json {
  const location = { Location: { description: "The same on the leader.", schema: { type: "string" } } };
  return {
    description: statusMeanings[status],
    ...(status === 307 ? { headers: location } : {}),
    content: { [PROBLEM_MEDIA_TYPE]: { schema } },
  };
}

function parametersOf(
  place: "path" | "query",
  schema: z.ZodType | undefined,
  schemaOf: (schema: z.ZodType, io: "input" | "output") => Json,
): Json[] {
  if (!(schema instanceof z.ZodObject)) {
    return [];
  }
  return Object.entries(schema.shape as Record<string, z.ZodType>).map(([name, part]) => {
    // What comes out of text is what is meant: a number of digits is an integer.
    const { description, ...rest } = schemaOf(part, "output");
    return {
      ...{ name, in: place },
      required: place === "path" || !part.safeParse(undefined).success,
      ...(description === undefined ? {} : { description }),
      schema: rest,
    };
  });
}

/** The schema with what it names moved to the document's components. */
function jsonSchema(schema: z.ZodType, io: "input" | "output", components: Map<string, unknown>): Json {
  const { $schema: _dialect, $defs = {}, ...rest } = z.toJSONSchema(schema, { io });
  for (const [name, definition] of Object.entries($defs)) {
    components.set(name, pointed(definition as Json));
  }
  return pointed(rest);
}

/** With references as OpenAPI writes them. */
function pointed(value: Json): Json {
  return JSON.parse(JSON.stringify(value).replaceAll(`"${DEFS}`, `"${COMPONENTS}`)) as Json;
}
