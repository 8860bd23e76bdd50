import { typeProblems } from "../type-problems.ts";

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
export function kubernetesProblems(manifests: readonly Manifest[]): Promise<string[]> {
  return typeProblems({ "manifests.ts": manifests.map(asTypeScript).join("\n") }, tsconfig);
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
