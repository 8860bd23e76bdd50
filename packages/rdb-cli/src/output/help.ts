import { type Command, Help } from "commander";

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
