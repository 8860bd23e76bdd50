/** What hunts a mutant. */
type InstrumentName =
  /** The data-driven files of the Raft core: they see rdb-raft alone. */
  | "conformance"
  /** Whole clusters under faults, seed by seed. */
  | "simulator";

/** One exact replacement. */
export interface Edit {
  /** From the root of the repository, with forward slashes. */
  readonly file: string;
  /** Stands in the file once. */
  readonly find: string;
  readonly replace: string;
}

/** A planted bug: a mistake that somebody could make, small enough to be missed in a review. */
export interface Mutant {
  /** Kebab-case, unique in the table. */
  readonly name: string;
  /** What goes wrong because of it, in one sentence. */
  readonly breaks: string;
  /** One, unless two places guard the same promise: then both have to fall for anything to go wrong. */
  readonly edits: readonly Edit[];
  /** Which instruments should see it, in the order in which they are tried. */
  readonly seenBy: readonly InstrumentName[];
}

/** An edit of the table fits no more: the code has moved on, and the table has to follow. */
export class EditError extends Error {
  override readonly name = "EditError";
}

/**
 * Makes an edit.
 *
 * @throws EditError when the text to find does not stand in `source` exactly once
 */
export function applyEdit(source: string, edit: Edit, mutantName: string): string {
  const pieces = source.split(edit.find);
  if (pieces.length !== 2) {
    throw new EditError(
      `mutant ${mutantName}: its text stands ${pieces.length - 1} times in ${edit.file}, not once:\n${edit.find}`,
    );
  }
  return pieces.join(edit.replace);
}
