/** A check of Checkov's that does not hold here, and why. */
export interface Exception {
  readonly check: string;
  /** `<kind>.<namespace>.<name>`, as Checkov names objects: what of them is excepted. */
  readonly resources: RegExp;
  readonly reason: string;
}

/** All that passes although the scanner objects. One that nothing needs any more fails the scan, too. */
export const exceptions: readonly Exception[] = [
  {
    check: "CKV_K8S_15",
    resources: /./,
    reason:
      "images are named by versions that don't move, and a node must be able to start what it has while the registry is away; policy image-digests asks for digests in prod",
  },
  {
    check: "CKV_K8S_43",
    resources: /./,
    reason: "digests are the user's, who knows the mirror: policy image-digests asks for them in prod",
  },
  {
    check: "CKV_K8S_35",
    resources: /./,
    reason:
      "libpq, rclone, Barman and the exporters take their login from the environment; a container's environment is read by what may read its files, and pods can't be entered by applications",
  },
  {
    check: "CKV_K8S_40",
    resources: /./,
    reason:
      "the user's number is its image's, since files in it and on the volumes belong to that (26, 101, 999, 998); none is root, and restricted Pod Security holds",
  },
  {
    check: "CKV_K8S_38",
    resources:
      /^Deployment\.(cnpg-system\.(barman-cloud|cnpg-controller-manager)|postgres-operator\.postgres-operator|monitoring\.(prometheus-operator|kube-state-metrics))$/,
    reason: "operators, and what counts Kubernetes' objects, speak to the API server",
  },
  {
    check: "CKV_K8S_155",
    resources: /^ClusterRole\.default\.cnpg-manager$/,
    reason: "as released: the operator writes its CA into its own webhooks' configuration",
  },
  {
    check: "CKV_K8S_8",
    resources: /./,
    reason:
      "a container that has ended is restarted anyway; one that answers slowly under load must not be, and PostgreSQL's, PgBouncer's and the store's own probes say when one hangs",
  },
  {
    check: "CKV_K8S_9",
    resources: /-(monitor|backups)$|\.postgres-operator$/,
    reason: "no Service sends anything to them",
  },
];
