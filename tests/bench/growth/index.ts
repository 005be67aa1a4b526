import * as pulumi from "@pulumi/pulumi";
import { Provider } from "@pulumi/kubernetes/provider";
import { Operator, PostgresPlatform } from "../../../components";

/** So many platforms in one program, each with a pooler, a client and a backup in a namespace of its own; one operator for all. */

const platforms = new pulumi.Config().requireNumber("platforms");
// Nothing answers there: the provider plans from the program alone.
const kubernetes = new Provider("kubernetes", {
  kubeconfig: process.env.NO_CLUSTER_KUBECONFIG ?? "",
});
const providers = { kubernetes };
const operator = new Operator("cnpg", { engine: "cnpg", platform: "local" }, { providers });

for (let number = 1; number <= platforms; number++)
  new PostgresPlatform(
    `shop${number}`,
    {
      platform: "local",
      operator,
      cluster: {
        name: `shop${number}`,
        namespace: `shop${number}`,
        storage: { size: "1Gi" },
        databases: [{ name: "app", owner: "app" }],
      },
      poolers: [{ name: "app", database: "app" }],
      clients: [{ name: "web", namespace: "web", labels: { app: "web" }, pooler: "app" }],
      backup: { targets: [{ name: "near", kind: "local" }] },
    },
    { providers },
  );
