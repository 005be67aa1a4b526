import type { EngineTraits } from "../plan/engines/planner";
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

/** What the image built here, or the one of the engine's makers, has beside them. */
const further = (platform: Settings["platform"], { imageContents }: EngineTraits): Contents =>
  platform === "local" ? { extensions: pins.postgresqlExtensions, libraries: [] } : imageContents;

type Contents = Pick<EngineTraits["imageContents"], "extensions" | "libraries">;

const withoutHost = (image: string): string => image.slice(image.indexOf("/") + 1);

/** Whether the image is the user's own, of which nothing is assumed. A mirror's copy of the platform's image counts as that image. */
function isOwnImage({ platform, cluster, images }: Settings): boolean {
  const standard = withoutHost(platformDefaults[platform].images(cluster).postgresql);
  return !images.postgresql.endsWith(`/${standard}`);
}

/** Extensions that the image has, sorted; undefined for an image of the user's own. */
export const knownExtensions = (settings: Settings, engine: EngineTraits): readonly string[] | undefined =>
  isOwnImage(settings)
    ? undefined
    : [
        ...contributedOf[settings.cluster.postgresVersion],
        ...further(settings.platform, engine).extensions,
      ].sort();

/** What may bring parameters: the image's extensions and libraries; undefined for an image of the user's own. */
export function knownLibraries(settings: Settings, engine: EngineTraits): readonly string[] | undefined {
  const extensions = knownExtensions(settings, engine);
  return extensions && [...extensions, "auto_explain", ...further(settings.platform, engine).libraries];
}

/** Extensions that need others in the same database. */
export const neededExtensions: Readonly<Record<string, readonly string[]>> = {
  earthdistance: ["cube"],
  pg_stat_kcache: ["pg_stat_statements"],
  postgis_raster: ["postgis"],
  postgis_tiger_geocoder: ["fuzzystrmatch", "postgis"],
  postgis_topology: ["postgis"],
};
