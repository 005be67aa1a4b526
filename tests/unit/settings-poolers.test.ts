import assert from "node:assert/strict";
import { poolerShares } from "../../settings/sums/poolers";
import { connectionBudget } from "../../settings/sums/connections";
import { shortObjects } from "../support/manifest";
import { platformGraph } from "../support/platform";
import { changed, checked, smallest } from "../support/settings";
import { sentences, withPooler, poolerObjects, prod, rich } from "../support/rich";

describe("poolers", () => {
  it("that only read connect to standbys, and leave one that has become the primary", () => {
    const config = poolerObjects(withPooler({ reads: "standbys" })).find(({ id }) => id === "config")!.object;
    const { "pgbouncer.ini": ini } = config.data as { "pgbouncer.ini": string };
    assert.equal(ini.match(/host=main-ro /g)?.length, 2);
    assert.doesNotMatch(ini, /main-rw/);
    assert.match(ini, /server_check_query = SELECT 1 \/ CASE WHEN pg_is_in_recovery\(\) THEN 1 ELSE 0 END/);
    assert.doesNotMatch(ini, /connect_query/, "a standby is what they want");
  });

  it("scale by the CPU of PgBouncer's container, and no update takes their number back", () => {
    const input = withPooler({ autoscaling: { maxInstances: 5 }, serverConnections: 50 });
    const objects = poolerObjects(input);
    assert.deepEqual(objects.find(({ id }) => id === "autoscaler")!.object.spec, {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "main-pooler-p" },
      minReplicas: 2,
      maxReplicas: 5,
      metrics: [
        {
          type: "ContainerResource",
          containerResource: {
            name: "cpu",
            container: "pgbouncer",
            target: { type: "AverageValue", averageValue: "700m" },
          },
        },
      ],
    });
    assert.deepEqual(objects.find(({ id }) => id === "deployment")!.leave?.fields, ["spec.replicas"]);
    assert.ok(
      poolerObjects(withPooler({})).every(({ id, leave }) => id !== "autoscaler" && leave === undefined),
    );
    assert.equal(poolerShares(checked(input).poolers[0]!).serverConnections, 10, "five pods share the total");
  });

  it("registers the number of pods as another controller's", async () => {
    const graph = await platformGraph(
      checked(withPooler({ autoscaling: { maxInstances: 3 } })),
      await shortObjects(),
    );
    const ignoring = graph.resources.filter(({ ignoreChanges }) => ignoreChanges !== undefined);
    assert.deepEqual(
      ignoring.map(({ name, ignoreChanges }) => [name, ignoreChanges]),
      [["main-pooler-p-deployment", ["spec.replicas"]]],
    );
  });

  const one = (input: unknown) =>
    changed(changed(input, "cluster.instances", 1), "cluster.durability", "async");
  const cases: [string, unknown, string][] = [
    [
      "one pod with autoscaling",
      withPooler({ instances: 1, autoscaling: { maxInstances: 4 } }),
      "pgplatform:poolers[0].instances: 1 is not allowed. Allowed: at least 2 with autoscaling, so that one pod may go at any time. Fix: set 2 or more.",
    ],
    [
      "autoscaling to one pod",
      withPooler({ autoscaling: { maxInstances: 1 } }),
      "pgplatform:poolers[0].autoscaling.maxInstances: 1 is not allowed. Allowed: a whole number from 2 to 50. Fix: choose an allowed value.",
    ],
    [
      "autoscaling to as many as there are",
      withPooler({ autoscaling: { maxInstances: 2 } }),
      "pgplatform:poolers[0].autoscaling.maxInstances: 2 is not allowed. Allowed: more than instances, 2. Fix: raise it, or leave autoscaling out.",
    ],
    [
      "one pod in prod",
      prod(withPooler({ instances: 1 })),
      "pgplatform:poolers[0].instances: 1 is not allowed. Allowed: at least 2 in the tier prod. Fix: set 2, or pgplatform:tier to dev.",
    ],
    [
      "reads of standbys that aren't there",
      one(withPooler({ reads: "standbys" })),
      'pgplatform:poolers[0].reads: "standbys" is not allowed. Allowed: primary with one instance, which has no standby. Fix: set primary, or more instances.',
    ],
  ];
  for (const [name, input, expected] of cases)
    it(`refuse ${name}`, () => assert.deepEqual(sentences(input), [expected]));

  it("that only read are not where the application is told to write", async () => {
    const input = { ...smallest(), poolers: [{ name: "reads", database: "app", reads: "standbys" }] };
    const { outputs } = await platformGraph(checked(input), await shortObjects());
    assert.deepEqual(Object.keys(outputs.uris as object), ["direct", "readOnly"]);
    assert.match(outputs.psql as string, /host=main-rw/);
  });
});

describe("the budget of connections", () => {
  it("is the sum of its parts, each with its name", () => {
    assert.deepEqual(connectionBudget(checked(rich())), {
      parts: [
        { name: "the pooler p", connections: 44 },
        { name: "the pooler reads", connections: 42 },
        { name: "the direct client c", connections: 7 },
        { name: "the reserve", connections: 10 },
      ],
      needed: 103,
    });
  });

  it("is refused with its parts when it is too large; clients of poolers don't count", () => {
    const client = { name: "c", namespace: "x", labels: { app: "c" }, direct: true, connections: 60 };
    const input = { ...withPooler({}), clients: [client] };
    assert.deepEqual(sentences(input), [
      "pgplatform:cluster.maxConnections: 100 is not allowed. Allowed: at least 112: 42 for the pooler p, 60 for the direct client c, 10 for the reserve. Fix: raise it, or lower the poolers' serverConnections or the clients' connections.",
    ]);
    assert.deepEqual(sentences({ ...input, clients: [{ ...client, direct: false, pooler: "p" }] }), []);
  });
});
