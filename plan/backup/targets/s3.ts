import { storeName } from "../storeNames";
import { hostOf, isInCluster } from "../hosts";
import { roleProblems, speech as awsSpeech } from "./aws";
import { withoutDots } from "./bucketNames";
import { anywhere, defaultRegion, type Dialect, type Spoken, type TargetProblem } from "./dialect";
import { presets } from "./presets";
import { awsRegionForm, type TargetOf } from "../../../settings/schema/targets";

/** A bucket that is there: at AWS, or in any store that speaks S3, by the preset that describes it. */
export const s3: Dialect<"s3"> = {
  key: "given",
  speak(target, cluster): Spoken {
    const { name, bucket, endpoint, region = defaultRegion, caCertificate } = target;
    const common = { bucket, region, md5: true };
    if (endpoint === undefined)
      return { ...awsSpeech, ...common, called: "the kind s3 at AWS", ...anywhere() };
    const { preset = "other", pathStyle, pods } = target;
    const speech = presets[preset];
    return {
      ...speech,
      ...common,
      endpoint,
      pathStyle: pathStyle ?? speech.pathStyle,
      md5: speech.lock === "versions",
      called: `the preset ${preset}`,
      // Not the name of the key's Secret: a target whose kind changes gets the new Secret before it loses the old one.
      ...(caCertificate !== undefined && {
        ca: { secretName: `${storeName(cluster.name, name)}-ca`, key: "ca.crt" },
      }),
      ...(pods === undefined
        ? anywhere(endpoint)
        : {
            peer: { kind: "pods", name: `store-${name}`, namespace: pods.namespace, labels: pods.labels },
            port: pods.port,
          }),
    };
  },
  problems(target) {
    const { credentials, roleArn, endpoint, region } = target;
    return [
      ...(credentials === undefined && roleArn === undefined
        ? [
            {
              key: "credentials",
              value: undefined,
              allowed: "an access key with the kind s3",
              fix: "set it",
            },
          ]
        : []),
      ...(endpoint === undefined ? atAws(target) : elsewhere(target, endpoint)),
      ...(endpoint === undefined ? roleProblems(region, roleArn) : []),
    ];
  },
};

/** What only a store with an endpoint has. */
function atAws({ region, caCertificate, preset, pathStyle, pods }: TargetOf<"s3">): TargetProblem[] {
  const alone = (key: string, value: unknown, why: string): TargetProblem[] =>
    value === undefined
      ? []
      : [
          {
            key,
            value,
            allowed: `must not be set without an endpoint: ${why}`,
            fix: "set endpoint, or leave it out",
          },
        ];
  return [
    ...(region !== undefined && !awsRegionForm.test(region)
      ? [
          {
            key: "region",
            value: region,
            allowed: "a region of AWS such as eu-central-1: it is a part of the store's address",
            fix: "correct it, or set endpoint where the store isn't AWS",
          },
        ]
      : []),
    ...alone("caCertificate", caCertificate && "given", "a public CA signs for AWS"),
    ...alone("preset", preset, "without one the store is AWS"),
    ...alone("pathStyle", pathStyle, "how AWS is spoken to is known"),
    ...alone("pods", pods, "AWS isn't in the Kubernetes cluster"),
  ];
}

function elsewhere({ bucket, preset, pathStyle, pods }: TargetOf<"s3">, endpoint: string): TargetProblem[] {
  const virtual = !(pathStyle ?? presets[preset ?? "other"].pathStyle);
  const host = hostOf(endpoint);
  return [
    ...(host.startsWith(`${bucket}.`) && !isInCluster(endpoint)
      ? [
          {
            key: "endpoint",
            value: endpoint,
            allowed: "the store's address without the bucket's name, which is put there where it belongs",
            fix: `write ${endpoint.replace(`${bucket}.`, "")}`,
          },
        ]
      : []),
    ...(virtual && /^[\d.]+$/.test(host)
      ? [
          {
            key: "pathStyle",
            value: pathStyle,
            allowed: "true where the endpoint is an address of numbers: no bucket's name can stand before it",
            fix: "set pathStyle to true, or name the store's host",
          },
        ]
      : []),
    ...(pathStyle === true && preset === "oss"
      ? [
          {
            key: "pathStyle",
            value: pathStyle,
            allowed: "false with the preset oss, which refuses path style",
            fix: "leave it out",
          },
        ]
      : []),
    ...(virtual && withoutDots.refused.test(bucket)
      ? [
          {
            key: "bucket",
            value: bucket,
            allowed:
              "no dot where the bucket's name is in the host's name: a certificate is for one label before the host",
            fix: "use a bucket without a dot, or set pathStyle to true",
          },
        ]
      : []),
    ...(isInCluster(endpoint) && pods === undefined
      ? [
          {
            key: "pods",
            value: undefined,
            allowed: `namespace, labels and port of the pods behind ${endpoint}, since network policies see the pods and not the Service`,
            fix: "set pods: { namespace, labels, port }, with the target port of the Service",
          },
        ]
      : []),
  ];
}
