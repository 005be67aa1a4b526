import { R2Bucket } from "@pulumi/cloudflare/r2bucket";
import { R2BucketLock } from "@pulumi/cloudflare/r2bucketLock";
import { R2ManagedDomain } from "@pulumi/cloudflare/r2managedDomain";
import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import { CronJob } from "@pulumi/kubernetes/batch/v1/cronJob";
import { StatefulSet } from "@pulumi/kubernetes/apps/v1/statefulSet";
import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap";
import { Namespace } from "@pulumi/kubernetes/core/v1/namespace";
import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import { Service } from "@pulumi/kubernetes/core/v1/service";
import { NetworkPolicy } from "@pulumi/kubernetes/networking/v1/networkPolicy";
import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1/podDisruptionBudget";
import { Provider } from "@pulumi/kubernetes/provider";
import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random/randomPassword";
import { programs } from "./others";
import { passing } from "./passing";
import { violating } from "./violating";

/** A neighbour's program: raw objects, none of this project's code. `foreign:case` chooses what is in it. */

const provider = new Provider("kubernetes", { kubeconfig: process.env.NO_CLUSTER_KUBECONFIG ?? "" });
const options = { provider };

const classes: Record<string, new (name: string, args: never, options: object) => pulumi.CustomResource> = {
  ConfigMap,
  CronJob,
  Deployment,
  Namespace,
  NetworkPolicy,
  PodDisruptionBudget,
  Secret,
  Service,
  StatefulSet,
};

const register = (objects: Record<string, object>, protect = false) => {
  for (const [name, object] of Object.entries(objects)) {
    const { kind } = object as { kind: string };
    const known = classes[kind];
    const registered = { ...options, protect };
    if (known) new known(name, object as never, registered);
    else new CustomResource(name, object as never, registered);
  }
};

/** The bucket that the passing store names, at a FAKE of Cloudflare. */
function bucket(name: string, protect: boolean): { accountId: string; bucketName: string } {
  const at = { accountId: "0123456789abcdef0123456789abcdef", bucketName: "orders-backups" };
  new R2Bucket(name, { accountId: at.accountId, name: at.bucketName }, { protect });
  return at;
}

const which = new pulumi.Config().require("case");
if (which === "violating") {
  register(violating);
  const at = bucket("shop:backups", false);
  new R2ManagedDomain("shop:domain", { ...at, enabled: true });
  new R2BucketLock("shop:lock", {
    ...at,
    rules: [{ id: "all", enabled: true, condition: { type: "Indefinite" } }],
  });
}
if (which === "passing") {
  register(passing, true);
  bucket("backups", true);
}
if (which === "others") for (const program of Object.values(programs)) register(program);
if (which === "unknown") {
  const { result } = new RandomPassword("made-later", { length: 20 });
  const cluster = passing.cluster as unknown as { spec: object };
  register(
    {
      ...passing,
      cluster: { ...cluster, spec: { ...cluster.spec, instances: result.apply(({ length }) => length) } },
      "config-of-later": {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "later", namespace: "shop" },
        data: { greeting: result },
      },
      "secret-of-later": {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "later", namespace: "shop" },
        stringData: { password: result },
      },
    },
    true,
  );
}
