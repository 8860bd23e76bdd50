import { randomUUID } from "node:crypto";
import { mkdir, readFile, readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { RdbError } from "@flaredb/rdb-base";
import { dataFolder, hasKnownFormat } from "@flaredb/rdb-server/data-folder";
import { assertUnlocked } from "./lock.ts";
import type { ClusterPlan, MemberPlan } from "./plan.ts";
import { membersOf } from "./plan.ts";

/** The layout of the data folder that this program makes, and the newest that it knows. */
const LAYOUT_VERSION = 1;
const CLUSTER_FILE = "playground.json";
/** In each member's folder: which playground it belongs to. */
const MEMBER_FILE = "PLAYGROUND";

/** What a data folder says of its cluster. */
export interface ClusterFile {
  readonly layout: number;
  /** Drawn when the folder is made. Members carry it too, so that folders of two clusters are never mixed. */
  readonly playgroundId: string;
  readonly storeCount: number;
  /** Members of the placement driver; folders of older programs do not say: one. */
  readonly pdMemberCount: number;
  readonly splitKeys: readonly string[];
}

/**
 * Reads what is there and changes nothing.
 *
 * @returns undefined when the folder is empty or missing: a new cluster
 * @throws RdbError RDB_DATA_FOREIGN, RDB_DATA_FORMAT or RDB_DATA_LOCKED
 */
export async function inspectFolder(folder: string): Promise<ClusterFile | undefined> {
  const names = await listIfThere(folder);
  if (names.length === 0) {
    return undefined;
  }
  if (!names.includes(CLUSTER_FILE)) {
    throw new RdbError(
      "RDB_DATA_FOREIGN",
      `the folder ${folder} holds other things than a playground's data: choose an empty or new one with --data`,
    );
  }
  const file = parseClusterFile(folder, await readFile(join(folder, CLUSTER_FILE), "utf8"));
  await assertUnlocked(folder);
  return file;
}

/**
 * Checks that the members' folders are this cluster's, in a format that is known; changes nothing.
 *
 * @throws RdbError RDB_DATA_FOREIGN or RDB_DATA_FORMAT
 */
export async function inspectMembers(plan: ClusterPlan, file: ClusterFile): Promise<void> {
  for (const member of membersOf(plan)) {
    const names = await listIfThere(member.folder);
    if (names.length > 0) {
      await inspectMember(member, names, file.playgroundId);
    }
  }
  const storesAreThere = (await Promise.all(plan.stores.map((store) => listIfThere(store.folder)))).some(
    (names) => names.length > 0,
  );
  for (const { folder } of plan.pds) {
    if (storesAreThere && (await listIfThere(folder)).length === 0) {
      throw new RdbError(
        "RDB_DATA_FOREIGN",
        `${folder} is missing though there are Stores: put it back, or choose another folder with --data`,
      );
    }
  }
}

async function inspectMember(
  member: MemberPlan,
  names: readonly string[],
  playgroundId: string,
): Promise<void> {
  const owner = names.includes(MEMBER_FILE)
    ? (await readFile(join(member.folder, MEMBER_FILE), "utf8")).trim()
    : undefined;
  if (owner !== playgroundId) {
    throw new RdbError(
      "RDB_DATA_FOREIGN",
      `${member.folder} belongs to another cluster: put this cluster's folder back, or choose another with --data`,
    );
  }
  await hasKnownFormat(dataFolder(member.folder));
}

/** Makes the folders of a new cluster, or those of further Stores; then notes what the cluster is now. */
export async function prepareFolders(plan: ClusterPlan, file: ClusterFile): Promise<void> {
  await mkdir(plan.logFolder, { recursive: true });
  await writeAtomically(join(plan.dataFolder, CLUSTER_FILE), `${JSON.stringify(file, null, 2)}\n`);
  for (const member of membersOf(plan)) {
    await mkdir(member.folder, { recursive: true });
    await writeFile(join(member.folder, MEMBER_FILE), `${file.playgroundId}\n`);
  }
}

/** What a new cluster's folder says. */
export function newClusterFile(
  storeCount: number,
  splitKeys: readonly string[],
  pdMemberCount = 1,
): ClusterFile {
  return { layout: LAYOUT_VERSION, playgroundId: randomUUID(), storeCount, pdMemberCount, splitKeys };
}

function parseClusterFile(folder: string, text: string): ClusterFile {
  const path = join(folder, CLUSTER_FILE);
  let value: Partial<ClusterFile>;
  try {
    value = JSON.parse(text) as Partial<ClusterFile>;
  } catch (error) {
    throw new RdbError(
      "RDB_DATA_CORRUPT",
      `${path} is damaged: restore it, or choose another folder with --data`,
      {
        cause: error,
      },
    );
  }
  if (typeof value.layout === "number" && value.layout > LAYOUT_VERSION) {
    throw new RdbError(
      "RDB_DATA_FORMAT",
      `the data folder ${folder} has layout ${value.layout}, this program knows ${LAYOUT_VERSION}: ` +
        "start it with the program that wrote it, or choose another folder with --data",
    );
  }
  const { layout, playgroundId, storeCount, splitKeys, pdMemberCount = 1 } = value;
  if (
    typeof layout !== "number" ||
    typeof playgroundId !== "string" ||
    typeof storeCount !== "number" ||
    typeof pdMemberCount !== "number" ||
    !Array.isArray(splitKeys)
  ) {
    throw new RdbError(
      "RDB_DATA_CORRUPT",
      `${path} is damaged: restore it, or choose another folder with --data`,
    );
  }
  return { layout, playgroundId, storeCount, pdMemberCount, splitKeys };
}

async function writeAtomically(path: string, text: string): Promise<void> {
  await writeFile(`${path}.tmp`, text);
  await rename(`${path}.tmp`, path);
}

async function listIfThere(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") {
      return [];
    }
    if (code === "ENOTDIR") {
      throw new RdbError("RDB_DATA_FOREIGN", `${folder} is not a folder: choose another with --data`, {
        cause: error,
      });
    }
    throw error;
  }
}
