import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { root } from "../source-files.ts";

/** A Store hands its leaderships over for at most so long before it ends; who stops it has to wait longer. */
export const DRAIN_MAX_SECONDS = 10;

/** The path of a file in deploy/. */
export function deployPath(name: string): string {
  return join(root, "deploy", name);
}

/** The text of a file in deploy/. */
export function deployText(name: string): string {
  return readFileSync(deployPath(name), "utf8");
}

/**
 * The documents of a YAML file in deploy/, with merge keys (`<<`) resolved as docker-compose does.
 *
 * @throws Error naming what is no YAML
 */
export function deployYaml(name: string): unknown[] {
  return parseAllDocuments(deployText(name), { merge: true }).map((document) => {
    if (document.errors[0] !== undefined) {
      throw new Error(`deploy/${name}: ${document.errors[0].message}`);
    }
    return document.toJS() as unknown;
  });
}

/** What `30s` and the like mean, in seconds. */
export function secondsOf(text: string): number {
  const [, count] = /^(\d+)s$/.exec(text) ?? [];
  if (count === undefined) {
    throw new Error(`"${text}" is no number of seconds, as 30s`);
  }
  return Number(count);
}
