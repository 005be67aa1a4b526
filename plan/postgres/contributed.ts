import type { Settings } from "../../settings/schema";

/** PostgreSQL's own extensions, of every major that can be chosen; those that serve languages which no image has are left out. */
const always = [
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
export const contributed: Readonly<Record<Settings["cluster"]["postgresVersion"], readonly string[]>> = {
  "15": [...always, ...before17],
  "16": [...always, ...before17],
  "17": always,
  "18": [...always, "pg_logicalinspect"],
};

/** Extensions that need others in the same database. */
export const neededExtensions: Readonly<Record<string, readonly string[]>> = {
  earthdistance: ["cube"],
  pg_stat_kcache: ["pg_stat_statements"],
  postgis_raster: ["postgis"],
  postgis_tiger_geocoder: ["fuzzystrmatch", "postgis"],
  postgis_topology: ["postgis"],
};
