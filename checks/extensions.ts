import { pins } from "../releases/pins";
import { platformDefaults } from "./defaults";
import type { Settings } from "../settings/schema";
type Major = Settings["cluster"]["postgresVersion"];

/** PostgreSQL's own, of every major that can be chosen; those that serve languages which no image has are left out. */
const contributed = [
  ..."amcheck autoinc bloom btree_gin btree_gist citext cube dblink dict_int dict_xsyn earthdistance file_fdw".split(
    " ",
  ),
  ..."fuzzystrmatch hstore insert_username intagg intarray isn lo ltree moddatetime pageinspect pg_buffercache".split(
    " ",
  ),
  ..."pg_freespacemap pg_prewarm pg_stat_statements pg_surgery pg_trgm pg_visibility pg_walinspect pgcrypto".split(
    " ",
  ),
  ..."pgrowlocks pgstattuple plpgsql postgres_fdw refint seg sslinfo tablefunc tcn tsm_system_rows".split(
    " ",
  ),
  ..."tsm_system_time unaccent uuid-ossp xml2".split(" "),
];

const before17 = ["adminpack", "old_snapshot"];
const contributedOf: Readonly<Record<Major, readonly string[]>> = {
  "15": [...contributed, ...before17],
  "16": [...contributed, ...before17],
  "17": contributed,
  "18": [...contributed, "pg_logicalinspect"],
};

/** What upstream's image has beside them, by engine. */
const upstream: Readonly<Record<Settings["cluster"]["engine"], readonly string[]>> = {
  cnpg: ["pgaudit", "vector"],
  zalando: ["pgaudit", "vector"],
  standalone: [],
};

const further = (platform: Settings["platform"], engine: Settings["cluster"]["engine"]): readonly string[] =>
  platform === "local" ? pins.postgresqlExtensions : upstream[engine];

const withoutHost = (image: string): string => image.slice(image.indexOf("/") + 1);

/**
 * Extensions that the image has, sorted; undefined for an image of the user's own, of which nothing is assumed. A mirror's copy of the
 * platform's image counts as that image.
 */
export function knownExtensions({ platform, cluster, images }: Settings): readonly string[] | undefined {
  const standard = withoutHost(platformDefaults[platform].images(cluster).postgresql);
  if (!images.postgresql.endsWith(`/${standard}`)) return undefined;
  return [...contributedOf[cluster.postgresVersion], ...further(platform, cluster.engine)].sort();
}

/** Extensions that need another one in the same database. */
export const neededExtensions: Readonly<Record<string, string>> = { earthdistance: "cube" };
