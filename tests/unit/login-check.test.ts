import assert from "node:assert/strict";
import { planner as cnpg } from "../../plan/engines/cnpg/planner";
import { stackImages } from "../../plan/images";
import { loginCheck } from "../../plan/loginCheck";
import { poolerPlan } from "../../plan/pooler/plan";
import { planPlatform } from "../../plan/platform";
import type { Settings } from "../../settings/schema";
import { bucket, changed, checked, smallest } from "../support/settings";

/** No stack of the repository has rotated its passwords, so that no golden graph has the Job. */
describe("the Job that tries the logins of a second version", () => {
  const input = (more: object = {}) => ({
    ...changed(smallest(), "cluster.databases", [
      { name: "app", owner: "app" },
      { name: "shop", owner: "keeper" },
    ]),
    labels: { "example.com/team": "shop" },
    rotation: { credentialVersion: 2 },
    poolers: [
      { name: "p", database: "app", serverConnections: 20, poolSize: 10 },
      { name: "q", database: "shop", serverConnections: 20, poolSize: 10 },
      { name: "r", database: "shop", reads: "standbys", serverConnections: 20, poolSize: 10 },
    ],
    ...more,
  });
  const planned = (settings: Settings) => {
    const plan = cnpg.plan(settings);
    return loginCheck(
      settings,
      plan,
      settings.poolers.map((pooler) => poolerPlan(settings, pooler, plan)),
    );
  };

  it("is exactly this", () => {
    const settings = checked(input());
    const job = structuredClone(planned(settings));
    const pod = (job?.object.spec as { template: { spec: { containers: { command: string[] }[] } } }).template
      .spec;
    const [client] = pod.containers;
    const script = client?.command.splice(2, 1)[0];
    assert.match(script ?? "", /psql/);
    const host = "main-rw.postgres.svc";
    const logins: [id: string, secret: string][] = [
      ["app", "main-app.2"],
      ["owner-keeper", "main-owner-keeper.2"],
      ["admin", "main-admin.2"],
      ["pooler-auth", "main-pooler-auth.2"],
    ];
    assert.deepEqual(
      { ...job, object: { ...job?.object, spec: undefined } },
      {
        id: "2",
        stage: 0,
        timeoutMinutes: 16,
        object: {
          apiVersion: "batch/v1",
          kind: "Job",
          metadata: {
            name: "main-logins-2",
            namespace: "postgres",
            labels: { "pgplatform.io/cluster": "main" },
          },
          spec: undefined,
        },
      },
    );
    assert.deepEqual(job?.object.spec, {
      backoffLimit: 2,
      activeDeadlineSeconds: 900,
      template: {
        metadata: {
          labels: {
            "example.com/team": "shop",
            "pgplatform.io/role": "health-check",
            "pgplatform.io/cluster": "main",
          },
        },
        spec: {
          restartPolicy: "Never",
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 1,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 26,
            runAsGroup: 26,
            fsGroup: 26,
            seccompProfile: { type: "RuntimeDefault" },
          },
          containers: [
            {
              name: "client",
              image: settings.images.postgresql,
              imagePullPolicy: "IfNotPresent",
              command: [
                "bash",
                "-c",
                "loginCheck",
                `app|app|app|${host}|main-pooler-p.postgres.svc`,
                `owner-keeper|keeper|shop|${host}|main-pooler-q.postgres.svc,main-pooler-r.postgres.svc`,
                `admin|pgp_admin|app|${host}|main-pooler-p.postgres.svc`,
                `pooler-auth|pgp_pooler|postgres|${host}|`,
              ],
              env: [
                { name: "PGPORT", value: "5432" },
                { name: "PGSSLMODE", value: "verify-full" },
                { name: "PGSSLROOTCERT", value: "/tls/ca.crt" },
                { name: "PGCONNECT_TIMEOUT", value: "5" },
                { name: "HOME", value: "/tmp" },
                { name: "LOGINS", value: "/logins" },
                { name: "WAIT_SECONDS", value: "180" },
              ],
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ["ALL"] },
              },
              resources: {
                requests: { cpu: "10m", memory: "32Mi" },
                limits: { cpu: "500m", memory: "128Mi" },
              },
              volumeMounts: [
                { name: "tls", mountPath: "/tls", readOnly: true },
                { name: "logins", mountPath: "/logins", readOnly: true },
              ],
            },
          ],
          volumes: [
            {
              name: "tls",
              secret: {
                secretName: "main-ca",
                items: [{ key: "ca.crt", path: "ca.crt" }],
                defaultMode: 0o440,
              },
            },
            {
              name: "logins",
              projected: {
                defaultMode: 0o440,
                sources: logins.map(([id, name]) => ({
                  secret: {
                    name,
                    items: [
                      { key: "username", path: `${id}/username` },
                      { key: "password", path: `${id}/password` },
                    ],
                  },
                })),
              },
            },
          ],
        },
      },
    });
  });

  it("pulls its image as everything else does", () => {
    const registries = [{ server: "registry.example.com", username: "puller", password: "hunter2" }];
    const spec = planned(checked(input({ registries })))?.object.spec as { template: { spec: object } };
    assert.deepEqual((spec.template.spec as { imagePullSecrets?: unknown }).imagePullSecrets, [
      { name: "main-registries" },
    ]);
    const own = { "example.com/team": "shop", "pgplatform.io/cluster": "main" };
    assert.deepEqual(planPlatform(checked(input({ registries })), () => []).pullSecret, {
      secretName: "main-registries",
      registries,
      labels: own,
    });
    assert.equal(planPlatform(checked(input()), () => []).pullSecret, undefined);
  });

  it("is a part of the platform's plan then, as is what the cluster says of its version", () => {
    const of = (credentialVersion: number) =>
      planPlatform(checked(input({ rotation: { credentialVersion } })), () => []);
    const annotations = (credentialVersion: number) =>
      of(credentialVersion).cluster.objects.map(({ object }) =>
        Object.keys(object.metadata.annotations ?? {}).some((key) => /rotation|credentialVersion/.test(key)),
      );
    assert.deepEqual(
      [of(1).logins.length, of(2).logins.map(({ object }) => object.metadata.name)],
      [0, ["main-logins-2"]],
    );
    assert.deepEqual(
      [annotations(1), annotations(2)].map((list) => list.filter(Boolean).length),
      [0, 1],
    );
  });
});

describe("the images of a stack's pods", () => {
  const named = (more: object) => {
    const settings = checked({ ...smallest(), ...more });
    const names = new Map(Object.entries(settings.images).map(([name, image]) => [image, name]));
    return stackImages(settings, cnpg)
      .map((image) => names.get(image))
      .sort();
  };

  it("are the engine's alone at first, and no operator's that isn't installed", () => {
    assert.deepEqual(named({}), ["operator", "postgresql"]);
    assert.deepEqual(named({ operator: { install: false } }), ["postgresql"]);
  });
  it("are the poolers' and the backups' too, and a store's where there is one of our own", () => {
    const without = named({});
    const more = (settings: object) => named(settings).filter((name) => !without.includes(name));
    assert.deepEqual(more({ poolers: [{ name: "p", database: "app" }] }), ["pgbouncer", "pgbouncerExporter"]);
    const backups = more({ backup: { targets: [bucket()] } });
    assert.ok(backups.length > 0 && !backups.includes("objectStore"));
    const near = { name: "near", kind: "local" };
    for (const targets of [[near], [near, bucket()], [{ ...near, name: "a" }, near]])
      assert.deepEqual(more({ backup: { targets } }), [...backups, "objectStore"].sort());
  });
});
