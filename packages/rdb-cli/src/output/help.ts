import { type Command, Help, type Option } from "commander";

const GLOBAL_HEADING = "Global Options:";

/** commander's help with what a reader looks for first at the top: the commands before the options. */
export function formatHelp(command: Command, helper: Help): string {
  const text = Help.prototype.formatHelp.call(helper, command, helper);
  const sections = text.trimEnd().split("\n\n");
  const headings = new Set(["Commands:", ...command.commands.map((child) => child.helpGroup())]);
  const isCommands = (section: string): boolean => headings.has(section.split("\n")[0] ?? "");
  const [intro, rest] = [sections.slice(0, 2), sections.slice(2)];
  const ordered = [...intro, ...rest.filter(isCommands), ...rest.filter((section) => !isCommands(section))];
  return `${ordered.join("\n\n").replace(GLOBAL_HEADING, "For every command:")}\n`;
}

/** What a command takes beside its own options. The program's version is none of its business. */
export function visibleGlobalOptions(this: Help, command: Command): Option[] {
  const options = Help.prototype.visibleGlobalOptions.call(this, command);
  return options.filter((option) => option.long !== "--version");
}

/** `rdb help` works, and needs no line in the list. */
export function visibleCommands(this: Help, command: Command): Command[] {
  return Help.prototype.visibleCommands.call(this, command).filter((child) => child.name() !== "help");
}
