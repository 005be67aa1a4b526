import type { Endpoint } from "../plan/network";
import type { PostgresPlatform } from "../components/platform";
import { ownerLogin, uriOf } from "../components/connection";
import { plannerOf } from "../plan/engines/select";
import { keysOf } from "../plan/postgres/roles";
import { reliabilityOf } from "../plan/reliability/report";
import type { Settings } from "../settings/schema";

/** What a stack tells the world. Passwords are inside the URIs alone, and those are secrets. */
export function outputsOf(settings: Settings, platform: PostgresPlatform): Record<string, unknown> {
  const { cluster } = settings;
  const { endpoints, tls, credentials } = platform.planned.cluster;
  const [database] = cluster.databases;
  if (!database) throw new Error("settings without a database were not checked");
  const application = ownerLogin(platform.planned.cluster, platform.passwords, database);
  const handed = credentials.filter(({ internal }) => internal !== true);

  const first = settings.poolers.find((one) => one.database === database.name && one.reads === "primary");
  const pooled = platform.planned.poolers.find(({ name }) => name === first?.name)?.endpoint;
  const address = ({ host, port }: Endpoint) => ({ host, port });
  const preferred = pooled ?? endpoints.primary;

  return {
    namespace: cluster.namespace,
    cluster: cluster.name,
    engine: cluster.engine,
    instances: cluster.instances,
    database: database.name,
    primary: address(endpoints.primary),
    standbys: address(endpoints.standbys),
    poolers: Object.fromEntries(
      platform.planned.poolers.map(({ name, endpoint }) => [name, address(endpoint)]),
    ),
    roles: Object.fromEntries(handed.map(({ id, role }) => [id, role])),
    secrets: Object.fromEntries(
      handed.map((one) => {
        const { username, password } = keysOf(one);
        return [one.id, { name: one.secretName, usernameKey: username, passwordKey: password }];
      }),
    ),
    ...(platform.planned.bindings.length > 0 && {
      bindings: Object.fromEntries(
        platform.planned.bindings.map(({ client, namespace, name, secret }) => [
          client,
          { namespace, configMap: name, ...(secret && { secret: secret.name }) },
        ]),
      ),
    }),
    ca: tls.ca,
    caCertificate: platform.caCertificate,
    psql: `psql "host=${preferred.host} port=${preferred.port} dbname=${database.name} user=${application.role} sslmode=verify-full sslrootcert=ca.crt"`,
    uris: {
      ...(pooled && { pooler: uriOf(application, pooled) }),
      direct: uriOf(application, endpoints.primary, "&target_session_attrs=read-write"),
      readOnly: uriOf(application, endpoints.standbys),
    },
    reliability: reliabilityOf({ settings, engine: plannerOf(settings) }),
  };
}
