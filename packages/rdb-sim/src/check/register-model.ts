import type { Model } from "./linearizability.ts";

/** What an answer says of a key's state. */
export type Pattern =
  | { readonly kind: "absent" }
  | { readonly kind: "present" }
  | { readonly kind: "value"; readonly value: string }
  | { readonly kind: "version"; readonly version: number }
  | { readonly kind: "row"; readonly value: string; readonly version: number };

/** What one call did to one key, or saw of it. */
export interface RegisterOp {
  /** All of them fit the state before. */
  readonly fits?: readonly Pattern[];
  /** None of them fits the state before. */
  readonly misfits?: readonly Pattern[];
  /** The Region's revision that was looked at, when it is known. */
  readonly revision?: number;
  /** What it wrote, undefined for a deletion, and the revision that it took, when that is known. */
  readonly write?: { readonly value: string | undefined; readonly revision?: number };
}

/** A key. */
export interface RegisterState {
  /** Undefined: no such key. */
  readonly value: string | undefined;
  /** Undefined: a write whose answer was lost made it, and no answer has told since. */
  readonly version: number | undefined;
  /** While the version is not known: it is greater than this. */
  readonly versionAbove: number;
  /** The highest revision that is known to be past. What is written from now on has a greater one. */
  readonly floor: number;
}

/**
 * A key with a version. A write's version is the Region's revision at the write, so along an order of a key's calls
 * revisions never fall, and those of writes rise (DESIGN §3).
 */
export const registerModel: Model<RegisterState, RegisterOp> = {
  init: () => ({ value: undefined, version: undefined, versionAbove: 0, floor: 0 }),

  step(state, op) {
    let before: RegisterState | undefined = state;
    for (const pattern of op.fits ?? []) {
      before = before && fitted(before, pattern);
    }
    if (before === undefined || op.misfits?.some((pattern) => surelyFits(state, pattern)) === true) {
      return undefined;
    }
    const revision = op.revision ?? before.floor;
    if (revision < before.floor) {
      return undefined;
    }
    return op.write === undefined ? raised(before, revision) : written(before, op.write);
  },

  hash: ({ value, version, versionAbove, floor }) =>
    value === undefined ? `-${floor}` : `${version ?? `>${versionAbove}`} ${floor} ${value}`,

  isBlind: (op) => op.write !== undefined && op.fits === undefined && op.misfits === undefined,

  // A look at a revision comes behind the write that took it.
  rankOf: ({ revision, write }) =>
    write === undefined ? (revision === undefined ? undefined : revision + 0.5) : write.revision,

  kindOf: ({ fits, misfits, revision, write }) =>
    JSON.stringify([fits, misfits, revision, write?.value ?? null]),
};

/** The state with what the pattern tells, or undefined when the pattern does not fit. */
function fitted(state: RegisterState, pattern: Pattern): RegisterState | undefined {
  const { value } = state;
  switch (pattern.kind) {
    case "absent":
      return value === undefined ? state : undefined;
    case "present":
      return value === undefined ? undefined : state;
    case "value":
      return value === pattern.value ? state : undefined;
    case "version":
      return value === undefined ? undefined : withVersion(state, pattern.version);
    case "row":
      return value === pattern.value ? withVersion(state, pattern.version) : undefined;
  }
}

function withVersion(state: RegisterState, version: number): RegisterState | undefined {
  if (state.version !== undefined) {
    return state.version === version ? state : undefined;
  }
  const isPossible = version > state.versionAbove;
  return isPossible ? { ...state, version, floor: Math.max(state.floor, version) } : undefined;
}

function surelyFits(state: RegisterState, pattern: Pattern): boolean {
  const tellsVersion = pattern.kind === "version" || pattern.kind === "row";
  if (tellsVersion && state.version === undefined) {
    // It may have another version.
    return false;
  }
  return fitted(state, pattern) !== undefined;
}

function raised(state: RegisterState, floor: number): RegisterState {
  return floor === state.floor ? state : { ...state, floor };
}

function written(
  state: RegisterState,
  { value, revision }: NonNullable<RegisterOp["write"]>,
): RegisterState | undefined {
  if (revision === undefined) {
    return { value, version: undefined, versionAbove: state.floor, floor: state.floor };
  }
  return revision > state.floor ? { value, version: revision, versionAbove: 0, floor: revision } : undefined;
}

/** The state for people. */
export function describeState({ value, version }: RegisterState): string {
  if (value === undefined) {
    return "no such key";
  }
  return version === undefined ? `"${value}" at a version not told` : `"${value}" at version ${version}`;
}
