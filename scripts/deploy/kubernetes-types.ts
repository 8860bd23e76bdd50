import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { root } from "../source-files.ts";

/** What every manifest says of itself. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

/**
 * Holds manifests against the types of the Kubernetes API (the package kubernetes-types), with the compiler: a field
 * that is not in them, is missing or has another type is a problem. Finds what `kubectl apply --validate=strict` would
 * refuse, but for the patterns of texts.
 *
 * @returns the compiler's lines; none when all is well
 */
export async function kubernetesProblems(manifests: readonly Manifest[]): Promise<string[]> {
  const cache = join(root, ".cache");
  mkdirSync(cache, { recursive: true });
  // Inside the repository, where the package is found.
  const folder = mkdtempSync(join(cache, "kubernetes-"));
  try {
    writeFileSync(join(folder, "manifests.ts"), manifests.map(asTypeScript).join("\n"));
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(tsconfig));
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    await promisify(execFile)(process.execPath, [tsc, "-p", folder], { cwd: root });
    return [];
  } catch (error) {
    const { stdout } = error as { readonly stdout?: string };
    if (stdout === undefined || stdout === "") {
      throw error;
    }
    return stdout.trimEnd().split("\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const tsconfig = {
  compilerOptions: { strict: true, noEmit: true, module: "nodenext", types: [], skipLibCheck: true },
  files: ["manifests.ts"],
};

/** An object literal of the manifest's type: the compiler refuses fields that such a type does not have. */
function asTypeScript(manifest: Manifest, at: number): string {
  const { apiVersion, kind } = manifest;
  const module = `kubernetes-types/${apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`}.js`;
  return `export const manifest${at}: import(${JSON.stringify(module)}).${kind} = ${JSON.stringify(manifest)};`;
}
