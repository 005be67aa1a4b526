import assert from "node:assert/strict";
import type { KubernetesObject } from "../../plan/objects";
import { readers } from "../../plan/engines/readers";
import { liveReaders } from "../../plan/engines/select";
import { planner as cnpg } from "../../plan/engines/cnpg/planner";
import type { Settings } from "../../settings/schema";
import { operatorPlan } from "../../plan/engines/cnpg/operator";
import { ofPlugin } from "../../plan/engines/cnpg/plugin";
import { timings } from "../../plan/engines/cnpg/timing";
import { objectsOf, withoutDescriptions } from "../../local/manifests";
import { pins } from "../../releases/pins";
import { operatorManifest } from "../../releases/manifest";
import { type CrdValidator, validatorOf } from "../support/crd";
import { releasedObjects } from "../support/manifest";
import { loggedByDefault } from "../support/logging";
import { changed, checked, everything, smallest } from "../support/settings";

const clusterOf = (input: unknown): KubernetesObject => cnpg.plan(checked(input)).objects[0]!.object;
const specOf = (input: unknown) => clusterOf(input).spec as Record<string, unknown>;

describe("the plan of CloudNativePG", () => {
  it("is exactly this cluster for the smallest settings", () => {
    const { metadata, spec, apiVersion, kind } = clusterOf(smallest());
    assert.deepEqual([apiVersion, kind], ["postgresql.cnpg.io/v1", "Cluster"]);
    assert.deepEqual(metadata, {
      name: "main",
      namespace: "postgres",
      labels: { "pgplatform.io/cluster": "main" },
      annotations: { "pgplatform.io/durability": "zero-loss" },
    });
    const { bootstrap, ...rest } = spec as { bootstrap: { initdb: Record<string, unknown> } };
    assert.deepEqual(rest, {
      instances: 3,
      imageName: pins.images.postgresql,
      imagePullPolicy: "IfNotPresent",
      enableSuperuserAccess: false,
      enablePDB: true,
      primaryUpdateMethod: "switchover",
      smartShutdownTimeout: 0,
      stopDelay: 120,
      switchoverDelay: 60,
      primaryLease: { leaseDurationSeconds: 3, renewDeadlineSeconds: 2, retryPeriodSeconds: 1 },
      probes: {
        startup: { periodSeconds: 1, timeoutSeconds: 3 },
        readiness: { periodSeconds: 2, timeoutSeconds: 3, failureThreshold: 3 },
        liveness: {
          periodSeconds: 5,
          timeoutSeconds: 4,
          failureThreshold: 3,
          isolationCheck: { enabled: true, requestTimeout: 1000, connectionTimeout: 1000 },
        },
      },
      affinity: {
        enablePodAntiAffinity: true,
        podAntiAffinityType: "required",
        topologyKey: "kubernetes.io/hostname",
      },
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: "topology.kubernetes.io/zone",
          whenUnsatisfiable: "ScheduleAnyway",
          labelSelector: { matchLabels: { "cnpg.io/cluster": "main", "cnpg.io/podRole": "instance" } },
        },
      ],
      resources: { requests: { cpu: "200m", memory: "512Mi" }, limits: { cpu: "2", memory: "512Mi" } },
      storage: { size: "2Gi", resizeInUseVolumes: true, storageClass: "local-path" },
      certificates: { serverAltDNSNames: [] },
      managed: {
        roles: [
          { name: "app", ensure: "present", login: true, passwordSecret: { name: "main-app" } },
          {
            name: "pgp_admin",
            ensure: "present",
            login: true,
            createdb: true,
            createrole: true,
            passwordSecret: { name: "main-admin" },
          },
          {
            name: "pgp_pooler",
            ensure: "present",
            login: true,
            passwordSecret: { name: "main-pooler-auth" },
          },
        ],
      },
      monitoring: {
        disableDefaultQueries: true,
        customQueriesConfigMap: [{ name: "main-queries", key: "queries.yaml" }],
      },
      postgresql: {
        parameters: {
          "pg_stat_statements.max": "5000",
          "pg_stat_statements.track_utility": "off",
          max_connections: "100",
          shared_buffers: "128MB",
          effective_cache_size: "384MB",
          huge_pages: "off",
          maintenance_work_mem: "32MB",
          autovacuum_work_mem: "10MB",
          work_mem: "614kB",
          max_wal_size: "512MB",
          wal_keep_size: "256MB",
          max_slot_wal_keep_size: "512MB",
          password_encryption: "scram-sha-256",
          wal_retrieve_retry_interval: "200ms",
          wal_sender_timeout: "5s",
          wal_receiver_timeout: "5s",
          ...loggedByDefault,
        },
        pg_hba: ["hostssl all all all scram-sha-256", "hostnossl all all all reject"],
        synchronous: { method: "any", number: 1, dataDurability: "required", failoverQuorum: true },
      },
    });
    const { postInitSQL, postInitApplicationSQL, ...initdb } = bootstrap.initdb as {
      postInitSQL: string[];
      postInitApplicationSQL: string[];
    };
    assert.deepEqual(initdb, {
      database: "app",
      owner: "pgp_health",
      secret: { name: "main-health" },
      dataChecksums: true,
      encoding: "UTF8",
      localeProvider: "builtin",
      builtinLocale: "C.UTF-8",
    });
    assert.equal(postInitSQL.length, 7);
    assert.equal(postInitApplicationSQL.length, 6);
  });

  it("gives the database to the application's role, whose password the operator doesn't set again at each failover", () => {
    const { initdb } = specOf(smallest()).bootstrap as {
      initdb: { owner: string; postInitApplicationSQL: string[] };
    };
    assert.deepEqual(initdb.postInitApplicationSQL.slice(0, 2), [
      'CREATE ROLE "app" LOGIN',
      'ALTER DATABASE "app" OWNER TO "app"',
    ]);
    const { roles } = specOf(smallest()).managed as { roles: { name: string }[] };
    assert.ok(roles.some(({ name }) => name === "app"));
    assert.ok(roles.every(({ name }) => name !== initdb.owner));
  });

  it("looks logins up by a function that only the pooler may call and that can't be led astray", () => {
    const sql = (specOf(smallest()).bootstrap as { initdb: { postInitSQL: string[] } }).initdb.postInitSQL;
    const made = sql.find((statement) => statement.startsWith("CREATE FUNCTION"))!;
    assert.match(made, /SECURITY DEFINER SET search_path = pg_catalog, pg_temp/);
    for (const excluded of ["rolsuper", "rolreplication", "rolbypassrls"])
      assert.ok(made.includes(`NOT a.${excluded}`), excluded);
    const index = (text: string) => sql.findIndex((statement) => statement === text);
    const revoked = index("REVOKE ALL ON FUNCTION pgplatform.pooler_lookup(text) FROM PUBLIC");
    const granted = sql.filter((statement) => /^GRANT (EXECUTE|USAGE|ALL)/.test(statement));
    assert.ok(revoked > sql.indexOf(made));
    assert.deepEqual(granted, [
      "GRANT USAGE ON SCHEMA pgplatform TO pgp_pooler",
      "GRANT EXECUTE ON FUNCTION pgplatform.pooler_lookup(text) TO pgp_pooler",
    ]);
    assert.ok(sql.every((statement) => !/superuser/i.test(statement)));
  });

  it("holds nothing in its statements that Kubernetes changes in a container's arguments", () => {
    const { initdb } = specOf(smallest()).bootstrap as { initdb: Record<string, string[]> };
    for (const statement of [...initdb.postInitSQL!, ...initdb.postInitApplicationSQL!])
      assert.doesNotMatch(statement, /\$\$|\$\(/);
  });

  it("renders durability as it is meant", () => {
    const synchronous = (durability: string) =>
      (specOf(changed(smallest(), "cluster.durability", durability)).postgresql as { synchronous?: unknown })
        .synchronous;
    assert.deepEqual(synchronous("balanced"), {
      method: "any",
      number: 1,
      dataDurability: "preferred",
      failoverQuorum: false,
    });
    assert.equal(synchronous("async"), undefined);
  });

  it("keeps every lease legal: longer than its deadline, and that longer than 1.2 retries", () => {
    for (const [name, { primaryLease: lease }] of Object.entries(timings)) {
      assert.ok(lease.leaseDurationSeconds > lease.renewDeadlineSeconds, name);
      assert.ok(5 * lease.renewDeadlineSeconds > 6 * lease.retryPeriodSeconds, name);
    }
    assert.deepEqual(specOf(changed(smallest(), "cluster.failover", "patient")).primaryLease, {
      leaseDurationSeconds: 15,
      renewDeadlineSeconds: 10,
      retryPeriodSeconds: 2,
    });
  });

  it("has a watchdog only where one is asked for, with no more rights than it uses", () => {
    const watchdog = (input: unknown) =>
      cnpg.plan(checked(input)).objects.filter(({ id }) => id.startsWith("watchdog-"));
    assert.deepEqual(watchdog(smallest()), []);
    const objects = watchdog(changed(smallest(), "cluster.watchdogSeconds", 8)).map(({ object }) => object);
    const role = objects.find(({ kind }) => kind === "Role") as { rules?: Record<string, string[]>[] };
    assert.deepEqual(
      role.rules?.map(({ resources, resourceNames, verbs }) => [resources, resourceNames, verbs]),
      [
        [["clusters"], ["main"], ["get"]],
        [["pods"], undefined, ["list", "delete"]],
        [["leases"], ["main-watchdog"], ["get", "update"]],
        [["leases"], undefined, ["create"]],
      ],
    );
    const flows = cnpg.plan(checked(changed(smallest(), "cluster.watchdogSeconds", 8))).flows;
    assert.deepEqual(
      flows
        .filter(({ from }) => "name" in from && from.name === "watchdog")
        .map(({ name, port }) => [name, port]),
      [
        ["watchdog-instances", 5432],
        ["api-server-watchdog-0", 6443],
      ],
    );
  });

  it("puts every name of every pooler into the certificate", () => {
    const plan = cnpg.plan(checked(everything()));
    const services = ["jewelry-shop-db-pooler-app", "jewelry-shop-db-pooler-batch"];
    const names = services.flatMap((service) => [
      service,
      `${service}.jewelry-shop`,
      `${service}.jewelry-shop.svc`,
      `${service}.jewelry-shop.svc.cluster.local`,
    ]);
    assert.deepEqual(plan.tls.names, names);
    assert.deepEqual(specOf(everything()).certificates, { serverAltDNSNames: names });
  });

  it("makes further databases and their owners' roles", () => {
    const plan = cnpg.plan(checked(everything()));
    assert.deepEqual(
      plan.objects.map(({ id, stage, waitFor }) => [id, stage, waitFor]),
      [
        ["cluster", 0, "condition=Ready"],
        ["database-jewelry-shop", 1, "jsonpath={.status.applied}=true"],
        ["database-reports", 1, "jsonpath={.status.applied}=true"],
        ["archive", -1, undefined],
        ["base-backups", 1, undefined],
        ["queries", 0, undefined],
      ],
    );
    assert.deepEqual(plan.objects[2]!.object.spec, {
      cluster: { name: "jewelry-shop-db" },
      name: "reports",
      owner: "analyst",
      template: "template0",
      encoding: "UTF8",
      localeProvider: "icu",
      locale: "C.UTF-8",
      icuLocale: "de-AT",
      databaseReclaimPolicy: "retain",
    });
    assert.deepEqual(
      plan.credentials.map(({ id, role, secretName }) => [id, role, secretName]),
      [
        ["app", "jewelry_app", "jewelry-shop-db-app"],
        ["owner-analyst", "analyst", "jewelry-shop-db-owner-analyst"],
        ["role-debezium", "debezium", "jewelry-shop-db-role-debezium"],
        ["admin", "pgp_admin", "jewelry-shop-db-login-admin"],
        ["pooler-auth", "pgp_pooler", "jewelry-shop-db-pooler-auth"],
        ["health", "pgp_health", "jewelry-shop-db-health"],
        ["login-reloader", "pgp_logins", "jewelry-shop-db-login-reloader"],
      ],
    );
  });

  it("wants basic-auth Secrets that the operator reloads", () => {
    for (const { type, labels } of cnpg.plan(checked(everything())).credentials) {
      assert.equal(type, "kubernetes.io/basic-auth");
      assert.equal(labels["cnpg.io/reload"], "true");
    }
  });

  it("lets the user's parameters win over derived ones, as text", () => {
    const { parameters } = specOf(
      changed(smallest(), "cluster.parameters", {
        shared_buffers: "64MB",
        jit: false,
        random_page_cost: 1.1,
        wal_sender_timeout: "30s",
      }),
    ).postgresql as { parameters: Record<string, string> };
    assert.deepEqual(
      [parameters.shared_buffers, parameters.jit, parameters.random_page_cost, parameters.wal_sender_timeout],
      ["64MB", "off", "1.1", "30s"],
    );
  });

  it("claims what its settings say", () => {
    const { archive, parameter, ...claims } = readers.cnpg.facts(clusterOf(smallest()))!;
    assert.equal(parameter("shared_buffers"), "128MB");
    assert.deepEqual(
      { ...archive },
      { archivers: 0, store: undefined, archiveId: "main", outdated: undefined },
    );
    assert.deepEqual(
      { ...claims },
      {
        name: "main",
        namespace: "postgres",
        instances: 3,
        synchronous: { number: 1, blocks: true, quorum: true },
        durability: "zero-loss",
        disruptionBudget: true,
        podSecurity: "restricted",
        storageClasses: ["local-path"],
        furtherImages: [],
        requiredHostSpread: true,
        zoneSpread: true,
        dataChecksums: true,
        superuserAccess: false,
        superusers: [],
        follows: undefined,
        passwords: [
          { role: "pgp_health", secret: "main-health" },
          { role: "app", secret: "main-app" },
          { role: "pgp_admin", secret: "main-admin" },
          { role: "pgp_pooler", secret: "main-pooler-auth" },
        ],
        hostBasedAccess: [
          "hostssl all all all scram-sha-256",
          "hostnossl all all all reject",
          "host all all all scram-sha-256",
        ],
        passwordEncryption: "scram-sha-256",
        lowestTls: "TLSv1.3",
        image: pins.images.postgresql,
        imageFromCatalog: false,
        resources: { requests: { cpu: "200m", memory: "512Mi" }, limits: { cpu: "2", memory: "512Mi" } },
        sharedBuffers: "128MB",
        maxConnections: 100,
        archiveTimeoutSeconds: 300,
        walVolume: undefined,
        claimsOutage: undefined,
        loadBalancers: [],
        services: { primary: "main-rw", standbys: "main-ro", any: "main-r" },
        network: {
          pods: { "cnpg.io/cluster": "main" },
          operator: {
            namespace: "cnpg-system",
            labels: { "app.kubernetes.io/name": "cloudnative-pg" },
            statusPort: 8000,
          },
          ports: { postgres: 5432, metrics: 9187 },
        },
      },
    );
    const bare = { apiVersion: "postgresql.cnpg.io/v1", kind: "Cluster", metadata: { name: "x" } };
    const claimed = readers.cnpg.facts(bare)!;
    assert.deepEqual(
      [claimed.instances, claimed.synchronous.number, claimed.requiredHostSpread, claimed.disruptionBudget],
      [1, 0, false, true],
    );
    assert.equal(readers.cnpg.facts({ ...bare, kind: "Pooler" }), undefined);
  });

  it("says when a cluster is done, and why not", () => {
    const live = (status: object | undefined) =>
      liveReaders.cnpg.progress({ ...clusterOf(smallest()), ...(status && { status }) });
    const ready = [{ type: "Ready", status: "True" }];
    const healthy = { phase: "Cluster in healthy state", readyInstances: 3, conditions: ready };
    assert.deepEqual(live(undefined), { done: false, why: "the operator has not seen the cluster yet" });
    assert.deepEqual(live({ phase: "Setting up primary", readyInstances: 0 }), {
      done: false,
      why: "Setting up primary, 0 of 3 instances ready",
    });
    assert.deepEqual(live({ phase: "Failing over", phaseReason: "main-1 is gone", readyInstances: 2 }), {
      done: false,
      why: "Failing over (main-1 is gone), 2 of 3 instances ready",
    });
    assert.equal(live({ ...healthy, readyInstances: 2 }).done, false);
    assert.equal(live({ ...healthy, conditions: [{ type: "Ready", status: "False" }] }).done, false);
    assert.deepEqual(live(healthy), { done: true, why: "3 of 3 instances ready" });
    const managedRolesStatus = { cannotReconcile: { reader: ["no role pg_typo"] } };
    assert.deepEqual(live({ ...healthy, managedRolesStatus }), {
      done: false,
      why: "the role reader can't be made: no role pg_typo",
    });
  });

  it("says when a database is done, as its object is now, and why not", () => {
    const { object } = cnpg.plan(checked(smallest())).objects[1]!;
    const live = (status: object, generation = 2) =>
      liveReaders.cnpg.progress({ ...object, metadata: { ...object.metadata, generation } as never, status });
    const message = 'extension "x" is not available';
    assert.deepEqual(live({ applied: true, observedGeneration: 2 }), { done: true, why: "applied" });
    assert.deepEqual(live({ applied: true, observedGeneration: 1 }), {
      done: false,
      why: "not looked at since its last change",
    });
    assert.deepEqual(live({ applied: false, message }), { done: false, why: message });
    const extensions = [{ name: "x" }, { name: "y", applied: false, message: "must be preloaded" }];
    assert.deepEqual(live({ applied: false, message, extensions }), {
      done: false,
      why: "y: must be preloaded",
    });
    assert.deepEqual(live({}), { done: false, why: "not applied yet" });
  });
});

describe("custom resources against the pinned CRDs", () => {
  let validator: CrdValidator;
  before(async function () {
    this.timeout(120_000);
    validator = await validatorOf("cnpg");
  });

  const rendered = (input: unknown) =>
    cnpg
      .plan(checked(input))
      .objects.map(({ object }) => object)
      .filter(({ apiVersion }) => apiVersion.includes("cnpg.io"));
  const variants: [string, unknown][] = [
    ["the smallest settings", smallest()],
    ["everything in use", everything()],
    ["a watchdog", changed(smallest(), "cluster.watchdogSeconds", 8)],
    ...["balanced", "async"].map((value): [string, unknown] => [
      value,
      changed(smallest(), "cluster.durability", value),
    ]),
    ...["fast", "patient"].map((value): [string, unknown] => [
      value,
      changed(smallest(), "cluster.failover", value),
    ]),
  ];
  for (const [name, input] of variants)
    it(`have no field that the CRD doesn't know: ${name}`, () => {
      for (const object of rendered(input)) assert.deepEqual(validator.problems(object), []);
    });

  const planted: [string, unknown][] = [
    ["spec.instanses", 3],
    ["spec.postgresql.synchronous.dataDurabilitty", "required"],
    ["spec.postgresql.synchronous.dataDurability", "always"],
    ["spec.primaryLease.leaseSeconds", 5],
    ["spec.instances", "three"],
    ["spec.probes.liveness.isolationCheck.enabledd", true],
    ["surplus", 1],
  ];
  for (const [path, value] of planted)
    it(`are refused with ${path} = ${JSON.stringify(value)}`, () => {
      const [cluster] = rendered(smallest());
      assert.notDeepEqual(validator.problems(changed(cluster!, path, value)), []);
    });
});

describe("the operator's plan", () => {
  let released: KubernetesObject[];
  let settings: Settings;
  before(async function () {
    this.timeout(120_000);
    released = (await releasedObjects()).filter((object) => !ofPlugin(object));
    settings = checked(smallest());
  });
  const planned = () => operatorPlan(settings, released).objects;

  it("is the released manifest and the configuration, in three stages", () => {
    assert.equal(released.length, 26);
    assert.equal(planned().length, 27);
    const stages = [0, 1, 2].map((stage) => [
      ...new Set(planned().flatMap((one) => (one.stage === stage ? [one.object.kind] : []))),
    ]);
    assert.deepEqual(stages, [
      ["Namespace", "CustomResourceDefinition"],
      [
        "ServiceAccount",
        "ClusterRole",
        "ClusterRoleBinding",
        "ConfigMap",
        "MutatingWebhookConfiguration",
        "ValidatingWebhookConfiguration",
      ],
      ["Service", "Deployment"],
    ]);
    const ids = planned().map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length, "ids are unique");
  });

  it("changes the Deployment and the CRDs' annotations, and nothing else", () => {
    const differing = planned().filter(
      ({ object }) =>
        JSON.stringify(object) !==
        JSON.stringify(
          released.find((one) => one.kind === object.kind && one.metadata.name === object.metadata.name),
        ),
    );
    assert.deepEqual([...new Set(differing.map(({ object }) => `${object.kind}`))].sort(), [
      "ConfigMap",
      "CustomResourceDefinition",
      "Deployment",
    ]);
    assert.deepEqual(
      differing.filter(({ object }) => object.kind === "ConfigMap").map(({ object }) => object),
      [
        {
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: { name: "cnpg-controller-manager-config", namespace: "cnpg-system" },
          data: { POSTGRES_IMAGE_NAME: pins.images.postgresql },
        },
      ],
    );
  });

  it("puts the image into both places, and leaves no other name of it", () => {
    const deployment = planned().find(({ object }) => object.kind === "Deployment")!.object;
    const text = JSON.stringify(deployment);
    assert.equal(text.split(pins.images.cnpgOperator).length - 1, 2);
    assert.doesNotMatch(text, /ghcr\.io/);
    assert.match(text, /"imagePullPolicy":"IfNotPresent"/);
    assert.match(text, /"limits":\{"cpu":"1","memory":"512Mi"\}/);
    assert.match(JSON.stringify(released), /ghcr\.io/, "the released objects themselves stay as they were");
  });

  it("refuses a manifest whose Deployment it doesn't know", () => {
    const odd = JSON.parse(
      JSON.stringify(released).replaceAll("OPERATOR_IMAGE_NAME", "IMAGE"),
    ) as KubernetesObject[];
    assert.throws(() => operatorPlan(settings, odd), /no container "manager" with OPERATOR_IMAGE_NAME/);
  });

  it("keeps CRDs, with the reason, and takes over those that it finds", () => {
    for (const { object, retain } of planned()) {
      assert.equal(retain !== undefined, object.kind === "CustomResourceDefinition", object.metadata.name);
      if (retain !== undefined) assert.equal(object.metadata.annotations?.["pulumi.com/patchForce"], "true");
    }
  });
});

describe("the operator's manifest", () => {
  it("loses the prose of CRDs, and properties of that name keep their schemas", () => {
    const properties = { description: { type: "string", description: "prose" } };
    assert.deepEqual(withoutDescriptions({ description: "prose", properties }), {
      properties: { description: { type: "string" } },
    });
    const yaml =
      "kind: CustomResourceDefinition\ndescription: prose\n---\n---\nkind: Other\ndescription: kept\n";
    assert.deepEqual(objectsOf(yaml), [
      { kind: "CustomResourceDefinition" },
      { kind: "Other", description: "kept" },
    ]);
  });

  it("is one sentence with the way out when it is missing", () => {
    assert.throws(() => operatorManifest("cnpg", () => "/nowhere/manifest.json"), {
      name: "UserError",
      message:
        "The operator's manifest is not at /nowhere/manifest.json: run `make tools`, which puts it there.",
    });
  });
});
