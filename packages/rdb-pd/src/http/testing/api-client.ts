import { z } from "zod";

/** What the tests read of an OpenAPI document. */
export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

export interface Operation {
  readonly operationId: string;
  readonly security: readonly object[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: object }[];
  readonly requestBody?: object;
  readonly responses: Readonly<
    Record<string, { readonly content: Readonly<Record<string, { schema: object }>> }>
  >;
}

/** A request by its operation's name. */
export interface ApiRequest {
  readonly id: string;
  readonly params?: Readonly<Record<string, string | number>>;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The body is what the OpenAPI document says of this status, or the call has thrown. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  // Tests say what they expect of it.
  readonly body: Readonly<Record<string, unknown>>;
}

/** Calls PD's admin API as its OpenAPI document describes it, and holds every answer against that. */
export class ApiClient {
  readonly #origin: string;
  readonly openApi: OpenApi;
  /** `id status` of every answer that was as described. */
  readonly seen: Set<string>;

  private constructor(origin: string, openApi: OpenApi, seen: Set<string>) {
    this.#origin = origin;
    this.openApi = openApi;
    this.seen = seen;
  }

  /** @param seen shared by clients of several PDs */
  static async connect(httpAddress: string, seen = new Set<string>()): Promise<ApiClient> {
    const origin = `http://${httpAddress}`;
    const response = await fetch(`${origin}/api/v1/openapi.json`);
    return new ApiClient(origin, (await response.json()) as OpenApi, seen);
  }

  /** Every operation, with its method and path. */
  operations(): { readonly method: string; readonly path: string; readonly operation: Operation }[] {
    return Object.entries(this.openApi.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
    );
  }

  async call(request: ApiRequest): Promise<ApiAnswer> {
    const found = this.operations().find(({ operation }) => operation.operationId === request.id);
    if (found === undefined) {
      throw new Error(`no operation is named ${request.id}`);
    }
    const response = await this.#fetch(found, request);
    const type = response.headers.get("content-type") ?? "";
    const described = found.operation.responses[response.status];
    const schema = described?.content[type.split(";")[0] ?? ""]?.schema;
    const body = (await response.json()) as Readonly<Record<string, unknown>>;
    if (schema === undefined) {
      throw new Error(`${request.id}: ${response.status} ${type} is not described: ${JSON.stringify(body)}`);
    }
    this.#check(schema, body, `${request.id} ${response.status}`);
    this.seen.add(`${request.id} ${response.status}`);
    return { status: response.status, headers: response.headers, body };
  }

  #fetch(found: { readonly method: string; readonly path: string }, request: ApiRequest): Promise<Response> {
    const { params = {}, query = {}, body, headers } = request;
    const path = found.path.replaceAll(/\{(\w+)\}/g, (_all, name: string) =>
      encodeURIComponent(String(params[name] ?? `no ${name}`)),
    );
    const search = new URLSearchParams(
      Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
    );
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return fetch(`${this.#origin}${path}${search.size === 0 ? "" : `?${search.toString()}`}`, {
      method: found.method.toUpperCase(),
      redirect: "manual",
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { body: text }),
    });
  }

  #check(schema: object, body: unknown, what: string): void {
    const { schemas } = this.openApi.components;
    const whole = JSON.stringify({ ...schema, $defs: schemas }).replaceAll(
      "#/components/schemas/",
      "#/$defs/",
    );
    const result = z.fromJSONSchema(JSON.parse(whole)).safeParse(body);
    if (!result.success) {
      throw new Error(
        `${what} is not as described: ${z.prettifyError(result.error)}\n${JSON.stringify(body)}`,
      );
    }
  }
}
