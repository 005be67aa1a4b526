import assert from "node:assert/strict";
import { planner as cnpg } from "../../plan/engines/cnpg/planner";
import { liveReaders } from "../../plan/engines/select";
import type { Shape } from "../../plan/engines/live";
import { announcements } from "../../operations/announce";
import { asked } from "../../operations/liveCheck";
import { violationsIn } from "../../operations/previewReport";
import { firstStep, secondUpdate } from "../../operations/steps";
import { givenUp, Patience, patienceSeconds, stuck } from "../../operations/stuck";
import { changed, checked, smallest } from "../support/settings";

const live: Shape = {
  image: "registry/postgresql:17.5",
  major: 17,
  instances: 3,
  parameters: { work_mem: "4MB", max_connections: "100" },
  pods: { resources: { cpu: "1" }, probes: undefined },
  data: { size: "2Gi" },
};
const other = { ...live, image: "registry/postgresql:17.6" };
const tuned = { ...live, parameters: { ...live.parameters, work_mem: "8MB" } };

describe("image and parameters", () => {
  it("are changed in one update while only one of them changes, or nothing is there yet", () => {
    for (const planned of [live, other, tuned]) assert.equal(firstStep({}, cnpg, live, planned), undefined);
    assert.equal(firstStep({}, cnpg, undefined, other), undefined);
  });

  it("are changed one after the other when both do: first with the image that runs", () => {
    const config = { "pgplatform:images": { operator: "o:1", postgresql: "registry/postgresql:17.6" } };
    assert.deepEqual(firstStep(config, cnpg, live, { ...other, parameters: {} })?.overlay, {
      "pgplatform:images": { operator: "o:1", postgresql: "registry/postgresql:17.5" },
    });
  });

  it("are changed in the other order while a pod waits in vain for the image that is asked for", () => {
    const failing = { ...live, image: "registry/postgresql:17.missing", imageFails: true };
    const config = {
      "pgplatform:cluster": {
        name: "main",
        parameters: { work_mem: "8MB", log_statement: "ddl", jit: "off" },
      },
    };
    const parameters = { max_connections: "100", work_mem: "8MB", log_statement: "ddl", jit: "off" };
    const first = firstStep(
      config,
      cnpg,
      { ...failing, parameters: { ...live.parameters, jit: "off" } },
      { ...live, parameters },
    );
    assert.deepEqual(first?.overlay, {
      "pgplatform:cluster": { name: "main", parameters: { work_mem: "4MB", jit: "off" } },
    });
    assert.match(
      first.why,
      /^the parameters after the image, since the one that is asked for now can't be had$/,
    );
    // What settings can't hold back can only come first.
    const owned = { ...live, parameters: { ...live.parameters, archive_mode: "always" } };
    assert.deepEqual(firstStep({}, cnpg, failing, owned)?.overlay, {
      "pgplatform:images": { postgresql: "registry/postgresql:17.missing" },
    });
  });

  it("keep the major version with the image", () => {
    const config = { "pgplatform:cluster": { name: "main", postgresVersion: "18" } };
    assert.deepEqual(
      firstStep(config, cnpg, live, { ...tuned, image: "registry/postgresql:18.1", major: 18 })?.overlay,
      {
        "pgplatform:images": { postgresql: "registry/postgresql:17.5" },
        "pgplatform:cluster": { name: "main", postgresVersion: "17" },
      },
    );
  });
});

describe("the second of two updates", () => {
  it("is what the first one left, object by object", () => {
    const plan = (postgresql: string) => cnpg.plan(checked({ ...smallest(), images: { postgresql } }));
    const [one, two] = [plan("registry/postgresql:17.5"), plan("registry/postgresql:17.6")];
    assert.deepEqual(secondUpdate("main", one, two), [
      "update kubernetes:postgresql.cnpg.io/v1:Cluster main-cluster",
      // Their digest is a metric.
      "update kubernetes:v1:ConfigMap main-queries",
    ]);
    assert.deepEqual(secondUpdate("main", one, one), []);
  });
});

describe("a live cluster's parameters", () => {
  it("count when the stack asks for them, or did before; the operator's own additions don't", () => {
    const parameters = { ...live.parameters, wal_level: "logical", log_statement: "ddl" };
    const before = { ...live, parameters: { log_statement: "ddl" } };
    assert.deepEqual(asked({ ...live, parameters }, live, before).parameters, {
      ...live.parameters,
      log_statement: "ddl",
    });
    assert.deepEqual(asked({ ...live, parameters }, live, undefined), live);
  });

  it("leave the operator's defaults in the pods aside", () => {
    const live2 = { ...live, pods: { resources: { cpu: "1", memory: "default" } } };
    assert.deepEqual(asked(live2, live, live).pods, live.pods);
  });
});

describe("more instances", () => {
  const pods = { resources: { cpu: "2" } };
  const config = { "pgplatform:cluster": { name: "main", instances: 5 } };

  it("wait for the roll of those that run", () => {
    const first = firstStep(config, cnpg, live, { ...live, instances: 5, pods });
    assert.deepEqual(first?.overlay, { "pgplatform:cluster": { name: "main", instances: 3 } });
    assert.match(first.why, /further instances after those that run were rolled/);
  });

  it("need no second update when nothing rolls, and fewer never do", () => {
    assert.equal(firstStep(config, cnpg, live, { ...live, instances: 5 }), undefined);
    assert.equal(firstStep(config, cnpg, live, { ...live, instances: 2, pods }), undefined);
  });
});

describe("what a change means", () => {
  const lines = (planned: Shape) =>
    announcements({ live: {} }, live, planned, firstStep({}, cnpg, live, planned));

  it("is told by PostgreSQL's own word on each parameter", () => {
    const parameters = { work_mem: "8MB", max_connections: "120", log_statement: "ddl" };
    assert.deepEqual(lines({ ...live, parameters }), [
      "parameters max_connections: the instances restart one after another, the primary last, by a switchover",
      "parameters log_statement, work_mem: reloaded, nothing restarts",
    ]);
    assert.deepEqual(lines({ ...live, parameters: { work_mem: "4MB" } }).length, 1, "one that is removed");
  });

  it("is told with what clients of poolers notice, where `make up` has them wait", () => {
    const rolling = liveReaders.cnpg.rolling!;
    const held = (planned: Shape, mode: "transaction" | "session" = "transaction") =>
      announcements(
        { live: { rolling }, settings: { poolers: [{ mode, reads: "primary" }] } },
        live,
        planned,
        undefined,
      ).join();
    const parameters = { ...live.parameters, max_connections: "120" };
    assert.match(
      held({ ...live, parameters }),
      /the primary last, in its place; clients of poolers wait meanwhile$/,
    );
    assert.match(
      held({ ...live, image: "registry/postgresql:17.6" }),
      /the primary last, by a switchover; clients of poolers wait meanwhile$/,
    );
    assert.doesNotMatch(held({ ...live, parameters }, "session"), /wait meanwhile/);
  });

  it("is told for image, instances and volumes", () => {
    assert.match(
      lines({ ...other, parameters: {} }).join("\n"),
      /image .*17\.6 instead of .*17\.5: the instances restart[^]*two updates: the image after the parameters/,
    );
    const resources = { ...live, pods: { ...live.pods, resources: { cpu: "2" } } };
    assert.match(lines(resources).join(), /^resources: the instances restart/);
    assert.match(lines({ ...live, instances: 5 }).join(), /5 instances instead of 3: copies/);
    assert.match(lines({ ...live, instances: 2 }).join(), /2 instances instead of 3: standbys go with their/);
    assert.match(
      lines({ ...live, instances: 2, keepsVolumes: true }).join(),
      /2 instances instead of 3: standbys go, their volumes stay/,
    );
    assert.match(lines({ ...live, data: { size: "4Gi" } }).join(), /data volumes of 4Gi instead of 2Gi/);
    assert.match(
      lines({ ...live, log: { size: "1Gi" } }).join(),
      /a WAL volume of 1Gi: the instances restart/,
    );
  });

  it("of the major version is a stop, and no rolling restart", () => {
    const upgraded = { ...live, image: "registry/postgresql:18.1", major: 18 };
    assert.deepEqual(lines(upgraded), [
      "PostgreSQL 18 instead of 17, image registry/postgresql:18.1: all instances stop, pg_upgrade works on the primary's data, and the standbys are copied again",
      "two updates: the new major version after everything else",
    ]);
    assert.doesNotMatch(lines({ ...upgraded, instances: 1 }).join(), /standbys are copied/);
  });

  it("is nothing for a cluster that is new or stays as it is", () => {
    assert.deepEqual(announcements({ live: {} }, undefined, other, undefined), []);
    assert.deepEqual(lines(live), []);
  });
});

describe("the shape of a CloudNativePG cluster", () => {
  it("is the same for the plan and for the live object made from it", () => {
    const settings = checked(changed(smallest(), "cluster.storage.walSize", "1Gi"));
    const object = cnpg.plan(settings).objects[0]?.object;
    assert.ok(object);
    const shape = liveReaders.cnpg.shape(object);
    assert.equal(shape?.major, 17);
    assert.deepEqual([shape.instances, shape.data.size, shape.log?.size], [3, "2Gi", "1Gi"]);
    assert.equal(shape.data.class, "local-path");
    assert.ok(Object.keys(shape.parameters).length > 3);
    assert.deepEqual(liveReaders.cnpg.shape({ ...object, status: { image: "x:17.1" } }), shape);
    assert.equal(
      liveReaders.cnpg.shape({ ...object, status: { pgDataImageInfo: { majorVersion: 16 } } })?.major,
      16,
    );
  });

  it("is nothing for other objects", () => {
    assert.equal(
      liveReaders.cnpg.shape({ apiVersion: "v1", kind: "Pod", metadata: { name: "a" } }),
      undefined,
    );
  });
});

describe("policies in Pulumi's events", () => {
  it("become one sentence each, without the policy's description and without repetition", () => {
    const event = (level: string, message: string) =>
      JSON.stringify({ policyEvent: { policyName: "p", message, enforcementLevel: level } });
    const log = [
      JSON.stringify({ sequence: 1, resourcePreEvent: {} }),
      event("mandatory", "What it is for.\nCluster a/b: this is wrong. Fix: change it.\n"),
      event("mandatory", "What it is for.\nCluster a/b: this is wrong. Fix: change it.\n"),
      event("advisory", "Alone.\n"),
      "",
    ];
    assert.deepEqual(violationsIn(log.join("\n")), [
      { policy: "p", mandatory: true, sentence: "policy p: Cluster a/b: this is wrong. Fix: change it." },
      { policy: "p", mandatory: false, sentence: "policy p: Alone." },
    ]);
  });
});

describe("a pod that doesn't start", () => {
  const pod = (status: object, more: object = {}) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "main-3", uid: "u1", ...more },
    status: { ...status },
  });
  const waiting = (reason: string, message?: string, restartCount = 0) =>
    pod({
      initContainerStatuses: [
        { name: "bootstrap", image: "o:1", restartCount: 0, state: { terminated: {} } },
      ],
      containerStatuses: [
        { name: "postgres", image: "p:99", restartCount, state: { waiting: { reason, message } } },
      ],
    });

  it("is told with its container, reason and image", () => {
    const found = stuck(waiting("ImagePullBackOff", "not found"));
    assert.equal(found?.why, "container postgres waits with ImagePullBackOff, image p:99 (not found)");
    assert.equal(found.everRan, false, "a container that prepares the pod doesn't count");
  });

  it("is told for the container that waiting helps least: one that crashes beside it doesn't hide the missing image", () => {
    const container = (name: string, reason: string) => ({
      name,
      image: `${name}:1`,
      state: { waiting: { reason } },
    });
    const both = pod({
      containerStatuses: [
        container("exporter", "CrashLoopBackOff"),
        container("pgbouncer", "ImagePullBackOff"),
      ],
    });
    assert.equal(stuck(both)?.why, "container pgbouncer waits with ImagePullBackOff, image pgbouncer:1");
  });

  it("is told in the container's own last words, where it left any", () => {
    const crashed = (message: string) =>
      pod({
        containerStatuses: [
          {
            name: "pgbouncer",
            image: "b:1",
            restartCount: 3,
            state: { waiting: { reason: "CrashLoopBackOff", message: "back-off 10s" } },
            lastState: { terminated: { message } },
          },
        ],
      });
    assert.equal(
      stuck(crashed("starting\nPgBouncer may open 900 files and needs 901: the sum.\n"))?.why,
      "container pgbouncer waits with CrashLoopBackOff, image b:1: PgBouncer may open 900 files and needs 901: the sum",
    );
    assert.match(stuck(crashed(""))?.why ?? "", / \(back-off 10s\)$/);
  });

  it("is told when no node takes it", () => {
    const conditions = [
      { type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/3 nodes" },
    ];
    assert.equal(stuck(pod({ conditions }))?.why, "no node takes it (0/3 nodes)");
  });

  it("has run when it was restarted", () => {
    assert.equal(stuck(waiting("CrashLoopBackOff", undefined, 2))?.everRan, true);
  });

  it("isn't one that starts, runs or ends", () => {
    assert.equal(stuck(waiting("PodInitializing")), undefined);
    assert.equal(stuck(waiting("ContainerCreating")), undefined);
    assert.equal(
      stuck(pod({ containerStatuses: [{ name: "a", image: "b", state: { running: {} } }] })),
      undefined,
    );
    assert.equal(
      stuck({ ...waiting("ErrImagePull"), metadata: { name: "a", deletionTimestamp: "now" } }),
      undefined,
    );
  });

  it("is given its reason's time, through the two names that a missing image has, and no more", () => {
    const patience = new Patience();
    const [first, second] = [stuck(waiting("ErrImagePull")), stuck(waiting("ImagePullBackOff"))];
    assert.ok(first && second);
    assert.deepEqual(patience.exhausted([first], 0), []);
    assert.deepEqual(patience.exhausted([second], 59_000), []);
    assert.deepEqual(patience.exhausted([first], 60_000), [first]);
  });

  it("starts again after it got going, and when it is another pod", () => {
    const patience = new Patience();
    const one = stuck(waiting("ImagePullBackOff"));
    assert.ok(one);
    patience.exhausted([one], 0);
    patience.exhausted([], 30_000);
    assert.deepEqual(patience.exhausted([one], 61_000), []);
    assert.deepEqual(patience.exhausted([{ ...one, uid: "u2" }], 120_000), []);
  });

  it("ends the update with one sentence for each pod and one that says what to do", () => {
    const one = stuck(waiting("ImagePullBackOff"));
    assert.ok(one);
    assert.deepEqual(givenUp([one]), [
      `Pod main-3 has not started for ${patienceSeconds.ImagePullBackOff} s: container postgres waits with ImagePullBackOff, image p:99.`,
      "The update was stopped; what ran before keeps running. Put the old settings back or fix the cause, and run `make up` again.",
    ]);
  });
});
