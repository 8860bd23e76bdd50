import type { Command, Option } from "commander";

/** What a word of the command line names, where that can be looked up. */
type ValueKind = IdKind | "file" | "folder";

/** What the cluster can be asked for. */
export const idKinds = ["store", "region", "operator", "scheduler", "member"] as const;
export type IdKind = (typeof idKinds)[number];

export interface CompletionOption {
  /** `--store`, `-V`. */
  readonly flags: readonly string[];
  readonly description: string;
  readonly takesValue: boolean;
  readonly kind: ValueKind | undefined;
}

/** One command and what may follow it. */
export interface CompletionNode {
  /** The words that lead to it, without the program's name: `region list`. */
  readonly place: string;
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly CompletionOption[];
  /** What its arguments name, the first first. */
  readonly argumentKinds: readonly (ValueKind | undefined)[];
  /** Its last argument may be given many times. */
  readonly isVariadic: boolean;
}

/** The tree of commands as the shells' completions need it: the program itself first. */
export function completionTree(program: Command): CompletionNode[] {
  const globals = program.options.filter(({ long }) => long !== "--version").map(completionOption(""));
  return nodesBelow(program, []).map((node) => ({ ...node, options: [...node.options, ...globals] }));
}

function nodesBelow(command: Command, path: readonly string[]): CompletionNode[] {
  const children = command.createHelp().visibleCommands(command);
  const node: CompletionNode = {
    place: path.join(" "),
    commands: children.map((child) => ({ name: child.name(), description: child.description() })),
    options: path.length === 0 ? [] : command.options.map(completionOption(path[0] ?? "")),
    argumentKinds: command.registeredArguments.map((argument) =>
      argumentKind(path[0] ?? "", argument.name()),
    ),
    isVariadic: command.registeredArguments.at(-1)?.variadic === true,
  };
  return [node, ...children.flatMap((child) => nodesBelow(child, [...path, child.name()]))];
}

function completionOption(group: string): (option: Option) => CompletionOption {
  return (option) => ({
    flags: [option.long, option.short].filter((flag) => flag !== undefined && flag !== null),
    description: option.description,
    takesValue: option.required,
    kind: option.required ? optionKind(group, option) : undefined,
  });
}

const storeOptions = new Set(["--store", "--from", "--to", "--leader"]);
const regionOptions = new Set(["--into", "--region"]);

function optionKind(group: string, { long, flags }: Option): ValueKind | undefined {
  if (flags.includes("<file>")) {
    return "file";
  }
  if (flags.includes("<dir>") || flags.includes("<folder>")) {
    return "folder";
  }
  if (group === "region" && storeOptions.has(long ?? "")) {
    return "store";
  }
  return regionOptions.has(long ?? "") ? "region" : undefined;
}

const kindsOfGroups: Readonly<Record<string, IdKind>> = {
  store: "store",
  region: "region",
  operator: "operator",
  scheduler: "scheduler",
  pd: "member",
};

function argumentKind(group: string, name: string): ValueKind | undefined {
  if (name === "file") {
    return "file";
  }
  if (group === "scheduler") {
    return name === "name" ? "scheduler" : undefined;
  }
  if (name === "region") {
    return "region";
  }
  return name === "id" || name === "ids" ? kindsOfGroups[group] : undefined;
}
