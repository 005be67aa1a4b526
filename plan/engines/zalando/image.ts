import type { EngineTraits, ImageContents } from "../planner";
import { isPostgresql } from "./resources";

/** User and group that Spilo runs as. */
export const server = { user: 101, group: 103 } as const;

export const publishedImages: EngineTraits["publishedImages"] = ({ operator }) => ({
  operator: `ghcr.io/zalando/postgres-operator:v${operator}`,
  // One image holds every major version that the engine runs.
  postgresql: "ghcr.io/zalando/spilo-17:4.0-p3",
});

/** Clusters of the platform ask for neither; one does whose object `transform` changes so. */
export const dormantImages: NonNullable<EngineTraits["dormantImages"]> = [
  {
    key: "connection_pooler_image",
    what: "the operator's own pooler",
    asked: (object) => {
      if (!isPostgresql(object)) return false;
      const { enableConnectionPooler, enableReplicaConnectionPooler, connectionPooler } = object.spec ?? {};
      return (
        (enableConnectionPooler ?? connectionPooler !== undefined) || enableReplicaConnectionPooler === true
      );
    },
  },
  {
    key: "logical_backup_docker_image",
    what: "the operator's own dumps",
    asked: (object) => isPostgresql(object) && object.spec?.enableLogicalBackup === true,
  },
];

/** What Spilo 4.0 has beside PostgreSQL; untrusted languages and what needs a server of another kind are left out. */
export const imageContents: ImageContents = {
  extensions: [
    ..."address_standardizer address_standardizer_data_us hll hypopg pg_partman pg_repack pg_stat_kcache pgaudit".split(
      " ",
    ),
    ..."plpgsql_check postgis postgis_raster postgis_tiger_geocoder postgis_topology roaringbitmap set_user".split(
      " ",
    ),
    ..."timescaledb vector".split(" "),
  ],
  libraries: ["pg_auth_mon", "pg_cron", "pg_partman_bgw", "pgextwlist"],
  refused: {
    pg_cron: {
      because: "Spilo makes it in the database postgres, and it can be in one database only",
      instead: "remove it, and schedule jobs of this database there with cron.schedule_in_database",
    },
  },
  source: "the packages that zalando/spilo's postgres-appliance/build_scripts/base.sh installs",
};
