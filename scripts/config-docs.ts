import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type GivenSetting, type ProgramSettings, settingText } from "../packages/rdb-process/src/index.ts";
import { pdSettings } from "../packages/rdb-pd/src/flags.ts";
import { storeSettings } from "../packages/rdb-server/src/flags.ts";
import { root } from "./source-files.ts";

const INTRODUCTION = `# Configuration

\`rdb-server\` and \`rdb-pd\` take each setting from four places. The first that names it wins:

1. a flag: \`--port 7410\`;
2. a variable of the environment: \`FLAREDB_SERVER_PORT=7410\`, \`FLAREDB_PD_PORT=7400\`;
3. the config file, JSON, that \`--config FILE\`, \`FLAREDB_SERVER_CONFIG\` or \`FLAREDB_PD_CONFIG\` names:
   \`{ "port": 7410, "raft": { "maxInflightBytes": 16777216 } }\`;
4. the default.

A variable's name is the setting's, in capitals, with \`_\` between its words and its levels. How its value is written:

| Kind | Written as |
| --- | --- |
| number of bytes, bytes/s | \`67108864\` or \`64MiB\`; KiB, MiB, GiB |
| number of ms | \`10000\` or \`10s\`; ms, s, m, h |
| yes or no | \`true\`, \`false\`, \`1\`, \`0\` |
| list | with commas: \`pd-1:7400,pd-2:7400\`; spaces beside them do not count |
| \`labels\` | \`host=a,zone=b\` |
| \`initialCluster\` | \`pd-1=pd-1:7400,pd-2=pd-2:7400,pd-3=pd-3:7400\` |
| \`initialRanges\` | JSON |

The config file takes the same texts for bytes and ms, in quotes, beside plain numbers. A variable that is empty counts as
not set. A flag that is given again adds to a list or to labels, and is refused where there is one value. An unknown flag, field, or variable that begins with the program's prefix ends the start with exit code 2; so
does a variable that is but a slip away from one (\`FLAREDB_SEVRER_PORT\`). Those that Kubernetes makes of Services
(\`FLAREDB_PD_SERVICE_HOST\`, \`FLAREDB_PD_PORT=tcp://…\`) are passed over.

\`\`\`sh
rdb-server --config deploy/systemd/store.json --check-config   # exit code 0; or 2, and each problem on a line
rdb-server --config deploy/systemd/store.json --print-config   # each setting, its value and who gave it; --json for programs
\`\`\`

Neither touches a port or data. "Changes" says what it takes for a changed value to take effect: \`restart\`; \`first start\`: it is read when the cluster
begins, and remembered; \`SIGHUP\`: the process reads its config file again, without a pause; \`rdb scheduler config\`:
changed while PD runs (\`rdb scheduler config replicas=5\`, names without \`placement.\`), for good and for all members.

Signals: SIGTERM and SIGINT end a process in good order, exit code 0: a Store hands its leaderships over and answers what
it took, within seconds; a PD that leads hands over to another member. A second one, half a second later or more, ends it
at once (143, 130). SIGHUP reads the config file and the TLS files ([security.md](security.md)) again; flags and environment stay as they were at the start. What is wrong
with the file is logged, and then nothing changes.

Written by \`npm run docs:config\` from the programs' schemas; a test compares the two.
`;

/** docs/configuration.md as the schemas of both programs make it. */
export function renderConfigDocs(): string {
  return `${INTRODUCTION}\n${section("rdb-server", storeSettings)}\n${section("rdb-pd", pdSettings)}`;
}

function section(title: string, settings: ProgramSettings): string {
  const head = "| Setting | Variable | Flag | Unit | Default | Changes | Meaning |";
  const rows = settings.all.map((setting) => `| ${cells(setting).join(" | ")} |\n`);
  return `## ${title}\n\n${head}\n| --- | --- | --- | --- | --- | --- | --- |\n${rows.join("")}`;
}

function cells(setting: GivenSetting): string[] {
  const { name, variable, flag, unit, change, description } = setting;
  return [
    `\`${name}\``,
    `\`${variable}\``,
    flag === undefined ? "" : `\`--${flag.name}\``,
    unit,
    defaultOf(setting),
    change,
    description,
  ].map((cell) => cell.replaceAll("|", "\\|"));
}

function defaultOf(setting: GivenSetting): string {
  if (setting.isRequired) {
    return "required";
  }
  const text = setting.defaultValue === undefined ? "" : settingText(setting, setting.defaultValue);
  return text === "" ? "" : `\`${text}\``;
}

if (import.meta.main) {
  writeFileSync(join(root, "docs", "configuration.md"), renderConfigDocs());
}
