/** What follows `rdb pd` when it is about the members of the placement driver, and not the start of one. */
export const pdCommandNames: ReadonlySet<string> = new Set([
  "members",
  "add-member",
  "remove-member",
  "transfer-leader",
]);
