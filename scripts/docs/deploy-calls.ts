import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Manifest } from "../deploy/kubernetes-types.ts";
import { deployYaml } from "../deploy/deploy-files.ts";
import { root } from "../source-files.ts";

/** A call of another program within a call: what stands behind `exec … --`. */
type CheckInner = (words: readonly string[]) => Promise<string | undefined>;

interface Compose {
  readonly services?: Readonly<Record<string, { readonly profiles?: readonly string[] }>>;
}

/** What of docker-compose documents use, and how many words each takes at least. */
const composeCommands = new Set(["up", "down", "exec", "rm", "stop", "kill", "logs", "ps"]);

/**
 * Holds a call of docker-compose against the files that it names.
 *
 * @returns what is wrong; undefined: nothing
 */
export async function composeProblem(
  args: readonly string[],
  checkInner: CheckInner,
): Promise<string | undefined> {
  const at = args.findIndex((word) => composeCommands.has(word));
  if (at === -1) {
    return "no command of docker-compose that is known here";
  }
  const { values } = parseArgs({
    args: args.slice(0, at),
    options: {
      file: { type: "string", short: "f", multiple: true },
      profile: { type: "string", multiple: true },
      "project-name": { type: "string", short: "p" },
    },
  });
  const files = values.file ?? ["deploy/docker-compose.yaml"];
  const missing = files.find((file) => !existsSync(join(root, file)));
  if (missing !== undefined) {
    return `there is no ${missing}`;
  }
  const services = files.flatMap((file) =>
    (deployYaml(file.replace("deploy/", "")) as Compose[]).flatMap((each) =>
      Object.entries(each.services ?? {}),
    ),
  );
  const profiles = new Set(services.flatMap(([, { profiles: some = [] }]) => some));
  const unknown = values.profile?.find((profile) => !profiles.has(profile));
  if (unknown !== undefined) {
    return `no service has the profile ${unknown}`;
  }
  const [command, ...rest] = args.slice(at);
  const { values: flags, positionals } = parseArgs({
    args: rest.slice(0, command === "exec" ? 1 : rest.length),
    options: {
      detach: { type: "boolean" },
      volumes: { type: "boolean" },
      "no-deps": { type: "boolean" },
      s: { type: "string", short: "s" },
    },
    allowPositionals: true,
  });
  if (flags.s !== undefined && command !== "kill") {
    return `${command ?? ""} takes no -s`;
  }
  const stranger = positionals.find((name) => services.every(([service]) => service !== name));
  if (stranger !== undefined) {
    return `there is no service ${stranger}`;
  }
  return command === "exec" ? checkInner(rest.slice(1)) : undefined;
}

/**
 * Holds a call of kubectl against the manifests of deploy/kubernetes.
 *
 * @returns what is wrong; undefined: nothing
 */
export async function kubectlProblem(
  args: readonly string[],
  checkInner: CheckInner,
): Promise<string | undefined> {
  const dashes = args.indexOf("--");
  const { values, positionals } = parseArgs({
    args: dashes === -1 ? [...args] : args.slice(0, dashes),
    options: {
      namespace: { type: "string", short: "n" },
      filename: { type: "string", short: "f" },
      patch: { type: "string" },
      replicas: { type: "string" },
      wait: { type: "string" },
    },
    allowPositionals: true,
  });
  if (values.filename !== undefined && !existsSync(join(root, values.filename))) {
    return `there is no ${values.filename}`;
  }
  const stranger = positionals.find((word) => word.startsWith("flaredb-") && !isKnownObject(word));
  if (stranger !== undefined) {
    return `the manifests make no ${stranger}`;
  }
  if (values.patch !== undefined) {
    return patchProblem(JSON.parse(values.patch) as object);
  }
  return dashes === -1 ? undefined : checkInner(args.slice(dashes + 1));
}

function manifests(): Manifest[] {
  return ["pd", "store"].flatMap((name) => deployYaml(`kubernetes/${name}.yaml`) as Manifest[]);
}

/** An object of the manifests, or one of the Pods of a set. */
function isKnownObject(word: string): boolean {
  return manifests().some(
    ({ metadata: { name } }) => word === name || new RegExp(`^${name}-\\d+$`).test(word),
  );
}

/** A patch of a set changes fields that its manifest has: what is misspelt, Kubernetes would drop without a word. */
function patchProblem(patch: object): string | undefined {
  const set = manifests().find(({ kind }) => kind === "StatefulSet");
  return missingField(patch, set, "");
}

/** Of what the API fills in by itself. */
const defaulted: unknown = { spec: { updateStrategy: { rollingUpdate: { partition: 0 } } } };

function missingField(patch: object, whole: unknown, path: string): string | undefined {
  for (const [name, value] of Object.entries(patch)) {
    const here = fieldOf(whole, name) ?? fieldAt(defaulted, `${path}.${name}`);
    if (here === undefined) {
      return `a StatefulSet of deploy/kubernetes has no ${path}.${name}`;
    }
    const problem =
      typeof value === "object" && value !== null ? missingField(value, here, `${path}.${name}`) : undefined;
    if (problem !== undefined) {
      return problem;
    }
  }
  return undefined;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function fieldAt(value: unknown, path: string): unknown {
  return path
    .split(".")
    .filter((name) => name !== "")
    .reduce(fieldOf, value);
}
