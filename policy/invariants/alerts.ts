import type { Facts } from "../../plan/engines/reader";
import { clusterLabel } from "../../plan/names";
import type { KubernetesObject } from "../../plan/objects";
import type { Problem } from "../../settings/problem";
import { allOf, anyOf, each, maybeIn, readable, those } from "../notKnown";
import { displayName, type StackFacts, type StackInvariant } from "./invariant";

interface Subject {
  readonly what: string;
  /** In the name or the expression of an alert. */
  readonly pattern: RegExp;
  readonly applies: (cluster: Facts, stack: StackFacts) => boolean;
}

const archived = ({ archive }: Facts): boolean => (archive?.archivers ?? 0) > 0;

const subjects: readonly Subject[] = [
  { what: "archive failure", pattern: /archiv/i, applies: archived },
  { what: "backup age", pattern: /back(ed)?_?up/i, applies: archived },
  { what: "restore-verification age", pattern: /verif/i, applies: archived },
  { what: "replication lag", pattern: /lag(?![a-z])/i, applies: ({ instances }) => instances > 1 },
  { what: "disk", pattern: /volume|disk|filesystem/i, applies: () => true },
  { what: "transaction IDs", pattern: /txid|xid|wraparound/i, applies: () => true },
  { what: "certificate expiry", pattern: /cert/i, applies: () => true },
  {
    what: "pooler saturation",
    pattern: /pooler|pgbouncer/i,
    applies: ({ namespace }, { poolers }) =>
      anyOf(maybeIn(poolers, namespace), (pooler) => pooler.namespace === namespace),
  },
];

interface Rules extends KubernetesObject {
  spec?: { groups?: readonly { rules?: readonly { alert?: string; expr?: string | number }[] }[] };
  data?: Readonly<Record<string, string>>;
}

/** Files of a ConfigMap. Of the platform's own, those that a preview doesn't know are no rules, which are always known. */
function filesOf(object: Rules): readonly string[] {
  try {
    return Object.values(object.data ?? {});
  } catch (error) {
    if (object.metadata.labels?.[clusterLabel] === undefined) throw error;
    return [];
  }
}

/** Alerts as text: each rule of a PrometheusRule, and each file of a ConfigMap that holds some. */
function alertsIn(object: KubernetesObject): string[] {
  const { kind, apiVersion } = object;
  if (kind === "PrometheusRule" && apiVersion.startsWith("monitoring.coreos.com/"))
    return ((object as Rules).spec?.groups ?? []).flatMap(({ rules = [] }) =>
      rules.flatMap(({ alert, expr }) => (alert === undefined ? [] : [`${alert} ${expr ?? ""}`])),
    );
  if (kind !== "ConfigMap" || apiVersion !== "v1") return [];
  return filesOf(object as Rules).filter(
    (text) => /["']?groups["']?\s*:/.test(text) && /["']?alert["']?\s*:/.test(text),
  );
}

/** Values of a label that selectors in the text name. */
const named = (text: string, label: "cluster" | "namespace"): (string | undefined)[] =>
  [...text.matchAll(new RegExp(`\\b${label}=\\\\*"([^"\\\\]+)`, "g"))].map(([, value]) => value);

/** Whether the text is about that cluster, or about whichever there is. */
const isAbout = (text: string, cluster: Facts): boolean =>
  [
    named(text, "cluster").map((name) => name === cluster.name),
    named(text, "namespace").map((name) => name === cluster.namespace),
  ].every((same) => same.length === 0 || same.includes(true));

export const alertsInvariant: StackInvariant = {
  number: "32",
  name: "alerts",
  description: "Alerts say in time what else is noticed when data or service is lost.",
  severity: "medium",
  mandatory: "prod",
  remediation:
    "Set `pgplatform:monitoring.prometheus`, and leave `monitoring.rules` on. Other programs: a `PrometheusRule`, or a ConfigMap with a file of rules, of which names or expressions say what each alert is about. Where another stack has the rules, make this policy advisory.",
  options: {
    elsewhere: {
      type: "array",
      items: { type: "string" },
      default: [],
      description: "Names of clusters whose rules are in another stack.",
    },
  },
  on: "stack",
  check: (stack, { elsewhere }): Problem[] => {
    const { values: texts, unread } = readable(stack.objects, alertsIn);
    return each(stack.clusters, (cluster) => {
      if ((elsewhere as readonly string[]).includes(cluster.name)) return [];
      const own = texts.flat().filter((text) => isAbout(text, cluster));
      const { values: missing, unread: unsure } = readable(
        those(subjects, ({ pattern, applies }) =>
          allOf(
            () => !own.some((text) => pattern.test(text)),
            () => applies(cluster, stack),
          ),
        ),
        (subject) => subject,
      );
      // Of what is missing, what can't be read yet may have some.
      const [first] = missing.length === 0 ? unsure : unread;
      if (first) throw first;
      if (missing.length === 0) return [];
      return [
        {
          path: `${displayName("Cluster", cluster)}: alerts on ${missing.map(({ what }) => what).join(", ")}`,
          value: undefined,
          allowed: "an alert on each of them, since nothing else says it in time",
          fix: "set pgplatform:monitoring.prometheus, or add rules",
        },
      ];
    });
  },
};
