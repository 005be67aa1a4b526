import type { Settings } from "../../settings/schema";
import type { KubernetesObject } from "../objects";
import { clusterLabel } from "../names";
import { limits, type Query, queriesOf, serverDatabase, yamlOf } from "./render";

/** The catalogue as CloudNativePG's custom queries: its instances run them as cnpg_metrics_exporter, a member of pg_monitor. */

export const queriesConfig = {
  name: (cluster: string): string => `${cluster}-queries`,
  key: "queries.yaml",
} as const;

/** A pattern that a database's name alone fits: the operator leaves out what is not there, or not to be connected to, where it has a pattern. */
const ifThere = (database: string): string =>
  database === serverDatabase ? database : `[${database.slice(0, 1)}]${database.slice(1)}`;

/** It runs before the query, in the same transaction, which the limits hold for then. */
const predicate = (when: string | undefined): string =>
  [
    "SELECT",
    Object.entries(limits)
      .map(([name, value]) => `set_config('${name}', '${value}', true) IS NOT NULL`)
      .join(" AND "),
    ...(when === undefined ? [] : [`AND ${when}`]),
  ].join(" ");

/** A text for each range of versions, all under one name. */
const rendered = ({ name, texts, columns, databases, when, group }: Query): string =>
  texts
    .map(({ from, sql }, index) => {
      const next = texts[index + 1]?.from;
      const fields = {
        name,
        query: sql,
        predicate_query: predicate(when),
        ...(group.on === "primary" && { primary: true }),
        runonserver: `>= ${from}.0.0${next === undefined ? "" : `, < ${next}.0.0`}`,
        target_databases: databases.map(ifThere),
      };
      return yamlOf(texts.length === 1 ? name : `${name}_from_${from}`, fields, columns);
    })
    .join("");

export const cnpgQueries = (settings: Settings): string => queriesOf(settings).map(rendered).join("");

/** The operator gives the instances a changed one by itself. */
export const queriesConfigMap = (settings: Settings): KubernetesObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: {
    name: queriesConfig.name(settings.cluster.name),
    namespace: settings.cluster.namespace,
    labels: { "cnpg.io/reload": "true", [clusterLabel]: settings.cluster.name },
  },
  data: { [queriesConfig.key]: cnpgQueries(settings) },
});
