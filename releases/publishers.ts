/**
 * What is known of an image's publisher: who signs it and how, and where its SBOM is. Read in the sources that each fact names; nothing was verified
 * from here, since neither the registries nor cosign can be had where this was written. What could not be substantiated is left out: it counts as not known.
 */
export interface Publisher {
  /** Registry and repository, in full. */
  readonly repository: string;
  /** @default - not known */
  readonly signature?: Signature;
  /** @default - not known */
  readonly sbom?: Sbom;
}

/** A signature without a key of the publisher's: a certificate says which program or account signed. */
export interface Signature {
  /** Whom the certificate names: as it is written, or as a regular expression of Go's. */
  readonly identity: { readonly is: string } | { readonly matches: string };
  /** Who says so. */
  readonly issuer: string;
  /** Where this was read. */
  readonly source: string;
  /** What a failure may also mean. @default - nothing else */
  readonly note?: string;
}

export interface Sbom {
  /** The page that describes it. */
  readonly link: string;
  /** How it is read; `<image>` stands for the image. */
  readonly command: string;
}

const githubActions = "https://token.actions.githubusercontent.com";
/** BuildKit's attestation in the image itself, in SPDX, one a platform. */
const inImage = `docker buildx imagetools inspect <image> --format '{{ json (index .SBOM "linux/amd64").SPDX }}'`;

const prometheusOperator: Signature = {
  identity: {
    matches:
      "^https://github\\.com/prometheus-operator/prometheus-operator/\\.github/workflows/publish\\.yaml@refs/tags/v",
  },
  issuer: githubActions,
  source:
    "prometheus-operator: issue 6130, scripts/push-docker-image.sh (which signs every image that it pushes)",
};

export const publishers: readonly Publisher[] = [
  {
    repository: "ghcr.io/cloudnative-pg/cloudnative-pg",
    signature: {
      identity: {
        matches:
          "^https://github\\.com/cloudnative-pg/cloudnative-pg/\\.github/workflows/release-publish\\.yml@refs/tags/v",
      },
      issuer: githubActions,
      source: "cloudnative-pg: docs/src/security.md, Image Signatures",
    },
    sbom: { link: "https://cloudnative-pg.io/docs/1.30/security", command: inImage },
  },
  {
    repository: "ghcr.io/cloudnative-pg/postgresql",
    signature: {
      identity: { matches: "^https://github\\.com/cloudnative-pg/postgres-containers/" },
      issuer: githubActions,
      source:
        "postgres-containers: README, Image Signatures (minimal and standard); its workflow signs system, too",
    },
    sbom: {
      link: "https://github.com/cloudnative-pg/postgres-containers#build-attestations",
      command: inImage,
    },
  },
  {
    repository: "ghcr.io/cloudnative-pg/pgbouncer",
    signature: {
      identity: { matches: "^https://github\\.com/cloudnative-pg/pgbouncer-containers/" },
      issuer: githubActions,
      source: "pgbouncer-containers: .github/workflows/build.yml; no page of theirs says it",
    },
    sbom: {
      link: "https://github.com/cloudnative-pg/pgbouncer-containers/blob/main/docker-bake.hcl",
      command: inImage,
    },
  },
  {
    repository: "quay.io/prometheus-operator/prometheus-operator",
    signature: prometheusOperator,
  },
  {
    repository: "quay.io/prometheus-operator/prometheus-config-reloader",
    signature: prometheusOperator,
  },
  {
    repository: "registry.k8s.io/kube-state-metrics/kube-state-metrics",
    signature: {
      identity: { is: "krel-trust@k8s-releng-prod.iam.gserviceaccount.com" },
      issuer: "https://accounts.google.com",
      source: "kubernetes-sigs/promo-tools: pull requests 501 and 767 (every promoted image is signed)",
      note: "signatures can lack in a region's copy of registry.k8s.io: kubernetes/registry.k8s.io, issue 187",
    },
  },
];

const withoutHost = (repository: string): string => repository.slice(repository.indexOf("/") + 1);

/** What is known of a repository's publisher; of a copy in `mirror` by what the mirror puts it in the place of. */
export const publisherOf = (repository: string, mirror?: string): Publisher | undefined =>
  mirror !== undefined && repository.startsWith(`${mirror}/`)
    ? publishers.find((one) => withoutHost(one.repository) === repository.slice(mirror.length + 1))
    : publishers.find((one) => one.repository === repository);
