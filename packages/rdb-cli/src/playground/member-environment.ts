/** What sets a Store or a member of the placement driver (docs/configuration.md). */
const SETTING = /^FLAREDB_(SERVER|PD)_/;

/**
 * The environment of a playground's processes: this one's, without settings of servers that run elsewhere. The playground
 * says all that its own need, and an address or folder that is meant for one Store would be given to each.
 */
export function memberEnvironment(own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(own).filter(([name]) => !SETTING.test(name)));
}
