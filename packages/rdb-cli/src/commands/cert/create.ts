import { isIP } from "node:net";
import type { Command } from "commander";
import type { CertificateOwner } from "../../cert/certificate-folder.ts";
import { invalid } from "../../input/bytes.ts";
import { parseInteger } from "../../input/numbers.ts";
import { type Call, type Shell, defineAction } from "../../shell.ts";

const DEFAULT_FOLDER = "certs";
const DEFAULT_DAYS = 365;
const DAYS_MAX = 3_650;

const NOTES = `
Without hosts a name is its own host. Each gets NAME.crt and NAME.key, signed by ca.crt, which is made unless it is there:
  rdb cert create pd-1=pd-1,10.0.0.1 store-1=10.0.0.11 store-2=10.0.0.12 client
  rdb server --tls-ca certs/ca.crt --tls-cert certs/store-1.crt --tls-key certs/store-1.key …
Who has ca.key can make certificates: keep it where no server is.
`;

interface CertOptions {
  readonly dir?: string;
  readonly caDir?: string;
  readonly days?: string;
}

/** `rdb cert create NAME[=HOST,...]...` */
export function defineCert(parent: Command, shell: Shell): void {
  const cert = parent.command("cert").description("create: certificates for TLS");
  const command = cert
    .command("create <name=host...>")
    .description("make a certificate and a key for each process, and an authority that signs them")
    .option("--dir <folder>", `where they go (default ${DEFAULT_FOLDER})`)
    .option("--ca-dir <folder>", "where ca.crt and ca.key lie (default: --dir)")
    .option("--days <count>", `how long they count (default ${DEFAULT_DAYS})`)
    .addHelpText("after", NOTES);
  defineAction(command, shell, create);
}

async function create(call: Call<CertOptions>, specs: readonly string[]): Promise<undefined> {
  const { dir: folder = DEFAULT_FOLDER, caDir: caFolder = folder } = call.options;
  const days =
    call.options.days === undefined ? DEFAULT_DAYS : parseInteger("days", call.options.days, 1, DAYS_MAX);
  const owners = specs.map(parseOwner);
  const names = new Set(owners.map(({ name }) => name));
  if (names.size !== owners.length) {
    throw invalid("name", "a name is given twice: each gets files of its own");
  }
  // The library is loaded only here.
  const { createCertificates } = await import("../../cert/certificate-folder.ts");
  const files = await createCertificates({ folder, caFolder, owners, days, nowMs: Date.now() });
  await call.print({ files }, () => files.map((file) => `${file}\n`).join(""));
}

/** Of `NAME` or `NAME=HOST,HOST`. */
function parseOwner(spec: string): CertificateOwner {
  const [, name, hostText] = /^([A-Za-z0-9][A-Za-z0-9._-]{0,63})(?:=(.*))?$/.exec(spec) ?? [];
  if (name === undefined) {
    throw invalid(
      "name",
      `"${spec}" must be NAME or NAME=HOST,HOST with letters, digits, ., _ and - in NAME`,
    );
  }
  if (name === "ca") {
    throw invalid("name", "ca is the authority itself: it is made when it is not there");
  }
  const hosts = (hostText ?? name).split(",").map((host) => host.trim());
  for (const host of hosts) {
    if (isIP(host) === 0 && !/^(\*\.)?[A-Za-z0-9_]([A-Za-z0-9._-]{0,252})$/.test(host)) {
      throw invalid("host", `host "${host}" of ${name} must be a name or an IP address, without a port`);
    }
  }
  return { name, hosts };
}
