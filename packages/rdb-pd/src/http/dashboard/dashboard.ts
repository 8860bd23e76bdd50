import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { RunningGroup } from "../../run-pd.ts";
import { leaderOf } from "../api/leader-location.ts";
import { type BuiltFile, bestEncoding, readBuiltFiles } from "./built-files.ts";
import { unbuiltPage } from "./unbuilt-page.ts";

/** Everything comes from this PD: no other host, nothing inline, in nobody's frame. */
const SECURITY_HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

const YEAR_S = 31_536_000;

export interface DashboardOptions {
  /** Where its built files lie, if it was built. */
  readonly folder: string;
  /** Undefined while PD starts. */
  readonly group: () => RunningGroup | undefined;
}

/**
 * The dashboard at `/dashboard/`, and the way there from `/`. Its files are for everybody, the figures come from the
 * admin API under that one's rules. A member that follows sends browsers to the one that leads.
 */
export function addDashboard(server: FastifyInstance, { folder, group }: DashboardOptions): void {
  let files: Promise<ReadonlyMap<string, BuiltFile> | undefined> | undefined;
  const serve = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const path = (request.params as { readonly "*": string })["*"];
    const isPage = path === "" || path === "index.html";
    const running = isPage ? group() : undefined;
    const leader = running?.isServing === false ? leaderOf(running) : undefined;
    if (leader !== undefined) {
      return reply
        .header("cache-control", "no-store")
        .redirect(`${request.protocol}://${leader.httpAddress}/dashboard/`, 307);
    }
    const all = await (files ??= readBuiltFiles(folder));
    reply.headers(SECURITY_HEADERS);
    if (all === undefined) {
      // It may be built while this PD runs: look again the next time.
      files = undefined;
      return reply
        .status(isPage ? 503 : 404)
        .header("cache-control", "no-store")
        .type(HTML)
        .send(unbuiltPage());
    }
    const file = all.get(isPage ? "index.html" : path);
    return file === undefined
      ? reply.status(404).header("cache-control", "no-store").type("text/plain").send(`there is no ${path}\n`)
      : sendFile(file, request, reply);
  };
  server.get("/", (_request, reply) => reply.redirect("/dashboard/", 302));
  server.get("/dashboard", (_request, reply) => reply.redirect("/dashboard/", 302));
  server.get("/dashboard/*", serve);
}

const HTML = "text/html; charset=utf-8";

function sendFile(file: BuiltFile, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const encoding = bestEncoding(request.headers["accept-encoding"]);
  if (encoding !== "identity") {
    reply.header("content-encoding", encoding);
  }
  return reply
    .header("vary", "accept-encoding")
    .header("cache-control", file.isImmutable ? `public, max-age=${YEAR_S}, immutable` : "no-cache")
    .type(file.mediaType)
    .send(file.bodies[encoding]);
}
