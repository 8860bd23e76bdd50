import { describe, expect, test, vi } from "vitest";
import { DRAIN_MAX_SECONDS, deployPath, deployYaml, secondsOf } from "./deploy-files.ts";
import { STARTS_TIMEOUT_MS, type Settings, settingsOf } from "./program-settings.ts";

vi.setConfig({ testTimeout: STARTS_TIMEOUT_MS });

interface Service {
  readonly command: string;
  readonly volumes: readonly string[];
  readonly restart: string;
  readonly stop_grace_period: string;
  readonly ports?: readonly string[];
  readonly profiles?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

const [file] = deployYaml("docker-compose.yaml") as [
  { readonly services: Readonly<Record<string, Service>>; readonly volumes: Readonly<Record<string, null>> },
];
const services = Object.entries(file.services);

function isStore(name: string): boolean {
  return name.startsWith("store-");
}

/** What is mounted, by the path in the container. */
function mountsOf(service: Service): Map<string, string> {
  return new Map(
    service.volumes.map((volume) => volume.split(":").slice(0, 2).reverse() as [string, string]),
  );
}

/** With what the one who starts it gives in the environment, for `${NAME:-}`. */
function understood(service: Service, given: Readonly<Record<string, string>> = {}): Promise<Settings> {
  expect(mountsOf(service).get("/etc/flaredb")).toBe("./config");
  const files = {
    "/etc/flaredb/pd.json": deployPath("config/pd.json"),
    "/etc/flaredb/store.json": deployPath("config/store.json"),
  };
  const environment = Object.entries(service.environment).map(([name, value]) => [
    name,
    value.replace(/^\$\{(\w+):-\}$/, (_, variable: string) => given[variable] ?? ""),
  ]);
  return settingsOf(service.command.split(" "), files, Object.fromEntries(environment));
}

const pdAddresses = services.filter(([name]) => !isStore(name)).map(([name]) => `${name}:7400`);

describe("SPEC-U4: deploy/docker-compose.yaml", () => {
  test("has three members of PD, three Stores, and a fourth that is asked for", () => {
    expect(services.map(([name, { profiles = [] }]) => [name, ...profiles].join(" "))).toEqual([
      ...["pd-1", "pd-2", "pd-3", "store-1", "store-2", "store-3"],
      "store-4 grow",
    ]);
  });

  test("says nothing that docker-compose 1.29 does not know", () => {
    expect(Object.keys(file).filter((key) => !key.startsWith("x-"))).toEqual(["services", "volumes"]);
  });

  test.for(services)("%s starts with settings that its program takes", async ([name, service]) => {
    const settings = await understood(service);
    expect(settings["dataDir"]).toBe("/var/lib/flaredb");
    expect(mountsOf(service).get("/var/lib/flaredb")).toBe(name);
    expect(Object.keys(file.volumes)).toContain(name);
    if (isStore(name)) {
      expect(settings["advertiseAddress"]).toBe(`${name}:${String(settings["port"])}`);
      expect(settings["pdAddresses"]).toEqual(pdAddresses);
    } else {
      expect(settings["name"]).toBe(name);
      expect(settings["initialCluster"]).toEqual(
        pdAddresses.map((address) => ({ name: address.split(":")[0], address })),
      );
    }
    expect(service.environment["RDB_PD"]).toBe(pdAddresses.join(","));
  });

  test("publishes PD's HTTP port, for this machine alone", async () => {
    const published = services.flatMap(([, { ports = [] }]) => ports);
    const settings = await understood(file.services["pd-1"] as Service);
    expect(published).toEqual([
      `127.0.0.1:\${FLAREDB_PUBLISHED_HTTP_PORT:-7401}:${String(settings["httpPort"])}`,
    ]);
  });

  test("takes the log level from the environment", async () => {
    for (const name of ["pd-1", "store-1"]) {
      const service = file.services[name] as Service;
      expect((await understood(service, { FLAREDB_LOG_LEVEL: "debug" }))["logLevel"]).toBe("debug");
      expect((await understood(service))["logLevel"]).toBe("info");
    }
  });

  test.for(services)("%s is started again when it fails, and has time to hand over", ([, service]) => {
    expect(service.restart).toBe("on-failure");
    expect(secondsOf(service.stop_grace_period)).toBeGreaterThan(DRAIN_MAX_SECONDS);
  });
});

describe("SPEC-U4: deploy/docker-compose.tls.yaml", () => {
  const [overlay] = deployYaml("docker-compose.tls.yaml") as [
    {
      readonly services: Readonly<Record<string, Service>>;
      readonly volumes: Readonly<Record<string, null>>;
    },
  ];
  const maker = overlay.services["certificates"] as Service & { readonly command: readonly string[] };

  test.for(services)("%s gets certificates of its own, and names them all", async ([name, service]) => {
    const added = overlay.services[name] as Service;
    expect(added.volumes).toEqual([`tls-${name}:/etc/flaredb-tls:ro`]);
    const environment = { ...service.environment, ...added.environment };
    const settings = await understood({ ...service, environment });
    const tls = ["ca", "cert", "key"].map((part) => settings[`tls.${part}`]);
    expect(tls).toEqual(["ca.crt", "tls.crt", "tls.key"].map((each) => `/etc/flaredb-tls/${each}`));
    expect(maker.volumes).toContain(`tls-${name}:/certificates/${name}`);
    expect(/processes="(?<names>[^"]+)"/.exec(maker.command.join(" "))?.groups?.["names"]).toContain(name);
    expect(Object.keys(overlay.volumes)).toContain(`tls-${name}`);
  });
});
