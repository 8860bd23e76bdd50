import { readFileSync, readdirSync } from "node:fs";
import { extname, join, relative, sep } from "node:path";
import { promisify } from "node:util";
import { constants, brotliCompress, gzip } from "node:zlib";

const compressBrotli = promisify(brotliCompress);
const compressGzip = promisify(gzip);

/** How a body may be packed, the best first. */
export type Encoding = "br" | "gzip" | "identity";

/** One file of the built dashboard. */
export interface BuiltFile {
  readonly mediaType: string;
  /** Its name changes with its content: whoever has it need never ask again. */
  readonly isImmutable: boolean;
  readonly bodies: Readonly<Record<Encoding, Buffer>>;
}

const mediaTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** The best of what a reader says it can unpack. */
export function bestEncoding(acceptEncoding: string | undefined): Encoding {
  const accepted = new Set(
    (acceptEncoding ?? "").split(",").flatMap((each) => {
      const [name = "", quality = "q=1"] = each
        .trim()
        .toLowerCase()
        .split(/\s*;\s*/);
      return /^q=0(\.0*)?$/.test(quality) ? [] : [name];
    }),
  );
  return accepted.has("br") ? "br" : accepted.has("gzip") ? "gzip" : "identity";
}

/** The files below a folder by their path from it, packed. Undefined while nothing is built there. */
export async function readBuiltFiles(folder: string): Promise<ReadonlyMap<string, BuiltFile> | undefined> {
  const paths = filesOf(folder);
  if (!paths.includes("index.html")) {
    return undefined;
  }
  return new Map(await Promise.all(paths.map(async (path) => [path, await built(folder, path)] as const)));
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, "/"));
  } catch {
    // No such folder: the dashboard was not built, which is for the reader to hear.
    return [];
  }
}

async function built(folder: string, path: string): Promise<BuiltFile> {
  const identity = readFileSync(join(folder, path));
  const [br, gz] = await Promise.all([
    compressBrotli(identity, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }),
    compressGzip(identity),
  ]);
  return {
    mediaType: mediaTypes[extname(path)] ?? "application/octet-stream",
    isImmutable: path.startsWith("assets/"),
    bodies: { br, gzip: gz, identity },
  };
}
