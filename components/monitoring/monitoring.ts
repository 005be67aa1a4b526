import { Namespace } from "@pulumi/kubernetes/core/v1/namespace";
import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random/randomPassword";
import { base64 } from "../../plan/base64";
import type { MonitoringPlan } from "../../plan/monitoring/install/plan";
import type { Labels } from "../../plan/network";
import { Issued } from "../certificates";
import { passwordForm } from "../credentials";
import { Network } from "../network";
import { PullSecret, type PullSecretArgs } from "../pullSecret";
import { registerObjects } from "../register";

export interface MonitoringArgs {
  readonly plan: MonitoringPlan;
  readonly labels: Labels;
  /** Logins at private registries. @default - none */
  readonly pullSecret?: Omit<PullSecretArgs, "namespace">;
  /** The secret that a receiver's setting stands for. @default - the setting itself */
  readonly value?: (text: string) => pulumi.Output<string>;
}

/** Prometheus Operator, Prometheus, Alertmanager, kube-state-metrics and maybe a Grafana in a namespace of their own. Their CRDs outlive the stack. */
export class Monitoring extends pulumi.ComponentResource {
  constructor(name: string, args: MonitoringArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("pgplatform:components:Monitoring", name, {}, options);
    const { plan, labels, pullSecret, value = pulumi.output } = args;
    const namespace = new Namespace(
      `${name}-namespace`,
      { metadata: { name: plan.namespace.name, labels: { ...labels, ...plan.namespace.labels } } },
      { parent: this },
    );
    const network = new Network(
      `${name}-network`,
      { policies: plan.networkPolicies },
      { parent: this, dependsOn: [namespace] },
    );
    const pullSecrets = pullSecret
      ? [
          new PullSecret(
            `${name}-registries`,
            { ...pullSecret, namespace: plan.namespace.name },
            { parent: this, dependsOn: [namespace] },
          ),
        ]
      : [];
    const receivers = plan.receivers
      ? [
          new Secret(
            `${name}-receivers`,
            {
              metadata: { name: plan.receivers.secretName, namespace: plan.namespace.name, labels },
              type: "Opaque",
              data: pulumi.secret(
                Object.fromEntries(
                  Object.entries(plan.receivers.values).map(([receiver, text]) => [
                    receiver,
                    value(text).apply(base64),
                  ]),
                ),
              ),
            },
            { parent: this, dependsOn: [namespace] },
          ),
        ]
      : [];
    const certificates = plan.certificate
      ? [
          certified(name, plan.certificate, plan.namespace.name, labels, {
            parent: this,
            dependsOn: [namespace],
          }),
        ]
      : [];
    const grafana = plan.grafana
      ? [drawn(name, plan.grafana, plan.namespace.name, labels, { parent: this, dependsOn: [namespace] })]
      : [];
    registerObjects(name, plan.objects, {
      parent: this,
      dependsOn: [namespace, network, ...pullSecrets, ...receivers, ...certificates, ...grafana],
    });
    this.registerOutputs({});
  }
}

/** A certificate in a Secret, signed by a CA that signs nothing else. */
function certified(
  name: string,
  { secretName, names }: NonNullable<MonitoringPlan["certificate"]>,
  namespace: string,
  labels: Labels,
  options: pulumi.CustomResourceOptions & { parent: pulumi.Resource },
): Secret {
  const issued = new Issued(`${name}-tls`, { names, use: "server" }, { parent: options.parent });
  return new Secret(
    `${name}-tls-secret`,
    {
      metadata: { name: secretName, namespace, labels },
      type: "kubernetes.io/tls",
      data: {
        "tls.crt": issued.certificate.apply(base64),
        "tls.key": issued.privateKey.apply(base64),
        "ca.crt": issued.ca.apply(base64),
      },
    },
    options,
  );
}

/** A Secret whose values are drawn, and known to none but it and Pulumi's state, where they are encrypted. */
const drawn = (
  name: string,
  { secretName, keys }: NonNullable<MonitoringPlan["grafana"]>,
  namespace: string,
  labels: Labels,
  options: pulumi.CustomResourceOptions & { parent: pulumi.Resource },
): Secret =>
  new Secret(
    `${name}-grafana-secret`,
    {
      metadata: { name: secretName, namespace, labels },
      type: "Opaque",
      data: pulumi.secret(
        Object.fromEntries(
          keys.map((key) => [
            key,
            new RandomPassword(`${name}-grafana-${key}`, passwordForm, {
              parent: options.parent,
            }).result.apply(base64),
          ]),
        ),
      ),
    },
    options,
  );
