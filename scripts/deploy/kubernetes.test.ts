import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StatefulSet } from "kubernetes-types/apps/v1.js";
import type { ConfigMap, Container, Service } from "kubernetes-types/core/v1.js";
import type { PodDisruptionBudget } from "kubernetes-types/policy/v1.js";
import { describe, expect, test, vi } from "vitest";
import { DRAIN_MAX_SECONDS, deployText, deployYaml } from "./deploy-files.ts";
import { type Manifest, kubernetesProblems } from "./kubernetes-types.ts";
import { STARTS_TIMEOUT_MS, type Settings, settingsOf } from "./program-settings.ts";

vi.setConfig({ testTimeout: STARTS_TIMEOUT_MS });

const names = ["pd", "store"] as const;

/** The manifests of one file, of which each has one of each kind. */
function manifestsOf(name: string) {
  const manifests = deployYaml(`kubernetes/${name}.yaml`) as Manifest[];
  const the = (kind: string): unknown => {
    const found = manifests.filter((manifest) => manifest.kind === kind);
    expect(found.map(({ metadata }) => metadata.name)).toEqual([`flaredb-${name}`]);
    return found[0];
  };
  return {
    manifests,
    statefulSet: the("StatefulSet") as StatefulSet,
    service: the("Service") as Service,
    configMap: the("ConfigMap") as ConfigMap,
    budget: the("PodDisruptionBudget") as PodDisruptionBudget,
  };
}

function containerOf(set: StatefulSet): Container {
  const containers = set.spec?.template.spec?.containers ?? [];
  expect(containers.length).toBe(1);
  return containers[0] as Container;
}

/** The settings of the set's first Pod, with what the cluster puts in for `$(NAME)`. */
async function settingsOfPod(name: string): Promise<Settings> {
  const { statefulSet, configMap } = manifestsOf(name);
  const [[file, text] = ["", ""]] = Object.entries(configMap.data ?? {});
  const folder = mkdtempSync(join(tmpdir(), "flaredb-kubernetes-"));
  try {
    writeFileSync(join(folder, file), text);
    const variables: Record<string, string> = {
      POD_NAME: `${statefulSet.metadata?.name ?? ""}-0`,
      HOST_NAME: "host-1",
    };
    const { args = [], env = [] } = containerOf(statefulSet);
    expect(env.map((variable) => variable.name).filter((variable) => !(variable in variables))).toEqual([]);
    const given = args.map((arg) => arg.replaceAll(/\$\((\w+)\)/g, (_, key: string) => variables[key] ?? ""));
    return await settingsOf(given, { [`/etc/flaredb/${file}`]: join(folder, file) });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("deploy/kubernetes", () => {
  test("is what the Kubernetes API takes", async () => {
    expect(await kubernetesProblems(names.flatMap((name) => manifestsOf(name).manifests))).toEqual([]);
  });

  test.for([
    { what: "an unknown field", change: { spec: { replicaz: 3 } } },
    { what: "a field of another type", change: { metadata: { name: 3 } } },
    { what: "a missing field", change: { spec: { serviceName: "flaredb-pd" } } },
  ])("is checked in earnest: $what is found", async ({ change }) => {
    const [manifest] = manifestsOf("pd").manifests.filter(({ kind }) => kind === "StatefulSet");
    const broken = { ...manifest, ...change } as unknown as Manifest;
    expect(await kubernetesProblems([broken])).not.toEqual([]);
  });

  test("members of PD and Stores find each other by the names that their sets give them", async () => {
    const pd = await settingsOfPod("pd");
    const store = await settingsOfPod("store");
    const { statefulSet } = manifestsOf("pd");
    const pods = Array.from({ length: statefulSet.spec?.replicas ?? 0 }, (_, at) => `flaredb-pd-${at}`);
    const members = pods.map((name) => ({ name, address: `${name}.flaredb-pd:${String(pd["port"])}` }));
    expect(pd["name"]).toBe("flaredb-pd-0");
    expect(pd["initialCluster"]).toEqual(members);
    expect(pd["advertiseAddress"]).toBe(members[0]?.address);
    expect(store["pdAddresses"]).toEqual(members.map(({ address }) => address));
    expect(store["advertiseAddress"]).toBe(`flaredb-store-0.flaredb-store:${String(store["port"])}`);
  });

  test.for(names)("%s: the ports are those that the program listens on", async (name) => {
    const { statefulSet, service } = manifestsOf(name);
    const { port, httpPort } = await settingsOfPod(name);
    const container = containerOf(statefulSet);
    expect(container.ports).toEqual([
      { name: "rpc", containerPort: port },
      { name: "http", containerPort: httpPort },
    ]);
    expect(service.spec?.ports).toEqual([
      { name: "rpc", port, targetPort: "rpc" },
      { name: "http", port: httpPort, targetPort: "http" },
    ]);
    expect(container.readinessProbe?.httpGet).toEqual({ path: "/health", port: "http" });
    expect(container.livenessProbe?.tcpSocket).toEqual({ port: "http" });
  });

  test.for(names)("%s: the parts name each other", (name) => {
    const { statefulSet, service, configMap, budget } = manifestsOf(name);
    const pod = statefulSet.spec?.template;
    const labels = pod?.metadata?.labels;
    expect(statefulSet.spec?.selector.matchLabels).toEqual(labels);
    expect(service.spec?.selector).toEqual(labels);
    expect(budget.spec?.selector?.matchLabels).toEqual(labels);
    const [rule] = pod?.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    expect(rule?.labelSelector?.matchLabels).toEqual(labels);
    expect(statefulSet.spec?.serviceName).toBe(service.metadata?.name);
    expect(service.spec?.clusterIP).toBe("None");
    const volumes = pod?.spec?.volumes ?? [];
    expect(volumes.map((volume) => volume.configMap?.name)).toContain(configMap.metadata?.name);
    const claims = statefulSet.spec?.volumeClaimTemplates ?? [];
    const provided = [
      ...volumes.map(({ name: each }) => each),
      ...claims.map(({ metadata }) => metadata?.name),
    ];
    const mounted = containerOf(statefulSet).volumeMounts?.map((mount) => mount.name);
    expect(new Set(mounted)).toEqual(new Set(provided));
  });

  test.for(names)("%s: a Pod runs as the image's user, and has time to hand over", (name) => {
    const pod = manifestsOf(name).statefulSet.spec?.template.spec;
    const [, user] = /^USER (\d+):/m.exec(deployText("Dockerfile")) ?? [];
    expect(pod?.securityContext).toMatchObject({ runAsUser: Number(user), fsGroup: Number(user) });
    expect(pod?.terminationGracePeriodSeconds).toBeGreaterThan(DRAIN_MAX_SECONDS);
  });

  test.for(names)("%s: an update watches each Pod for a while", (name) => {
    expect(manifestsOf(name).statefulSet.spec?.minReadySeconds).toBeGreaterThanOrEqual(10);
  });
});
