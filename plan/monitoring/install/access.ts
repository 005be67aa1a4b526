import type { KubernetesObject, PlannedObject } from "../../objects";
import { apiGroup, names, type Installation } from "./names";

/** What the installed programs may do in Kubernetes: as little as their work takes, and in the namespaces that are theirs to watch. */

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const rbac = "rbac.authorization.k8s.io";
const read = ["get", "list", "watch"] as const;
const write = [...read, "create", "update", "patch", "delete"] as const;

type Account = "operator" | "prometheus" | "alertmanager" | "kubeStateMetrics";

/** What Prometheus finds pods and Services by. */
const discovery: readonly Rule[] = [
  { apiGroups: [""], resources: ["pods", "services", "endpoints"], verbs: read },
  { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: read },
];

const monitors: Rule = {
  apiGroups: [apiGroup],
  resources: ["podmonitors", "servicemonitors", "probes", "scrapeconfigs", "prometheusrules"],
  verbs: read,
};

const states: readonly Rule[] = [
  { apiGroups: [""], resources: ["pods", "persistentvolumeclaims"], verbs: ["list", "watch"] },
  { apiGroups: ["apps"], resources: ["deployments", "statefulsets"], verbs: ["list", "watch"] },
  { apiGroups: ["batch"], resources: ["cronjobs", "jobs"], verbs: ["list", "watch"] },
];

/** Of the Prometheus Operator in its own namespace, where it makes everything. */
const making: readonly Rule[] = [
  {
    apiGroups: [apiGroup],
    resources: ["prometheuses", "alertmanagers"].flatMap((one) => [
      one,
      `${one}/finalizers`,
      `${one}/status`,
    ]),
    verbs: write,
  },
  { apiGroups: [apiGroup], resources: ["alertmanagerconfigs"], verbs: read },
  { apiGroups: ["apps"], resources: ["statefulsets"], verbs: [...write, "deletecollection"] },
  { apiGroups: [""], resources: ["configmaps", "secrets"], verbs: [...write, "deletecollection"] },
  { apiGroups: [""], resources: ["pods"], verbs: ["list", "delete"] },
  {
    apiGroups: [""],
    resources: ["services", "services/finalizers", "endpoints"],
    verbs: ["get", "create", "update", "delete"],
  },
];

/** Of whole clusters: what has no namespace. */
const clusterWide: Readonly<Partial<Record<Account, readonly Rule[]>>> = {
  operator: [{ apiGroups: [""], resources: ["namespaces"], verbs: read }],
  prometheus: [
    { apiGroups: [""], resources: ["nodes"], verbs: read },
    { apiGroups: [""], resources: ["nodes/metrics"], verbs: ["get"] },
  ],
  kubeStateMetrics: [{ apiGroups: [""], resources: ["nodes"], verbs: ["list", "watch"] }],
};

const accounts: readonly Account[] = ["operator", "prometheus", "alertmanager", "kubeStateMetrics"];

const subject = (account: Account, namespace: string) => ({
  kind: "ServiceAccount",
  name: names[account],
  namespace,
});

const planned = (id: string, object: KubernetesObject): PlannedObject => ({ id, stage: 0, object });

/** A Role with its binding in one namespace. */
function granted(
  account: Account,
  rules: readonly Rule[],
  where: string,
  { namespace }: Installation,
): PlannedObject[] {
  const metadata = { name: `pgplatform-${names[account]}`, namespace: where };
  const id = `${names[account]}-${where}`;
  return [
    planned(`role-${id}`, { apiVersion: `${rbac}/v1`, kind: "Role", metadata, rules }),
    planned(`binding-${id}`, {
      apiVersion: `${rbac}/v1`,
      kind: "RoleBinding",
      metadata,
      roleRef: { apiGroup: rbac, kind: "Role", name: metadata.name },
      subjects: [subject(account, namespace)],
    }),
  ];
}

function grantedEverywhere(account: Account, { namespace, install }: Installation): PlannedObject[] {
  const rules = clusterWide[account];
  if (rules === undefined || (account === "prometheus" && install.kubelet === "none")) return [];
  const metadata = { name: `pgplatform-${names[account]}` };
  return [
    planned(`cluster-role-${names[account]}`, {
      apiVersion: `${rbac}/v1`,
      kind: "ClusterRole",
      metadata,
      rules,
    }),
    planned(`cluster-binding-${names[account]}`, {
      apiVersion: `${rbac}/v1`,
      kind: "ClusterRoleBinding",
      metadata,
      roleRef: { apiGroup: rbac, kind: "ClusterRole", name: metadata.name },
      subjects: [subject(account, namespace)],
    }),
  ];
}

/** Accounts, and their rights in the watched namespaces; `engineOperator`: where the engine's operator is read, if it has one. */
export const access = (
  installation: Installation,
  watched: readonly string[],
  engineOperator: string | undefined,
): PlannedObject[] => [
  ...accounts.flatMap((account) => [
    planned(`account-${names[account]}`, {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: names[account], namespace: installation.namespace },
      // Those that talk to Kubernetes ask for it in their pods.
      automountServiceAccountToken: false,
    }),
    ...grantedEverywhere(account, installation),
  ]),
  ...watched.flatMap((where) => [
    ...granted(
      "operator",
      where === installation.namespace ? [...making, monitors] : [monitors],
      where,
      installation,
    ),
    ...granted("prometheus", discovery, where, installation),
    ...granted("kubeStateMetrics", states, where, installation),
  ]),
  ...(engineOperator === undefined || watched.includes(engineOperator)
    ? []
    : [
        ...granted("prometheus", discovery, engineOperator, installation),
        ...granted("kubeStateMetrics", states, engineOperator, installation),
      ]),
];
