import { readFileSync } from "node:fs";
import { RdbError } from "@flaredb/rdb-base";
import { configError } from "@flaredb/rdb-process";

const TOKEN_MIN_LENGTH = 16;

/**
 * The token of the admin API: the file's first line.
 *
 * @throws RdbError RDB_CONFIG_INVALID when the file cannot be read, or what it holds is no token
 */
export function readAdminToken(path: string): string {
  const token = firstLineOf(path);
  if (token.length < TOKEN_MIN_LENGTH || !/^[\x21-\x7e]+$/.test(token)) {
    throw configError([
      `adminTokenFile ${path} must begin with a line of at least ${TOKEN_MIN_LENGTH} printable characters without spaces`,
    ]);
  }
  return token;
}

function firstLineOf(path: string): string {
  try {
    return readFileSync(path, "utf8").split(/\r?\n/, 1)[0] ?? "";
  } catch (error) {
    throw configError([`adminTokenFile ${path} cannot be read: ${RdbError.from(error).message}`]);
  }
}
