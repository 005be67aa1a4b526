import type { Problem } from "../../settings/problem";
import { eachImage, referenceOf } from "./images";
import type { ObjectInvariant } from "./invariant";

/** Registries that get no fixes any more: prefix, why, and where their images are now. docs/policies.md has the sources. */
export const abandoned: readonly { prefix: string; why: string; instead: string }[] = [
  { prefix: "k8s.gcr.io/", why: "frozen since April 2023", instead: "use registry.k8s.io" },
  {
    prefix: "registry.opensource.zalan.do/",
    why: "being closed by Zalando since 2026",
    instead: "use ghcr.io/zalando",
  },
  {
    prefix: "docker.io/bitnami/",
    why: "without fixes since September 2025",
    instead: "use the project's own image",
  },
  {
    prefix: "docker.io/bitnamilegacy/",
    why: "an archive without fixes",
    instead: "use the project's own image",
  },
];

export const supportedImagesInvariant: ObjectInvariant = {
  number: "31b",
  name: "supported-images",
  description: "Images have a fixed tag, and come from registries that still get fixes.",
  severity: "high",
  mandatory: "everywhere",
  remediation:
    "Name a released version instead of `latest` or nothing, from a registry that is still maintained.",
  options: {
    refused: {
      type: "array",
      items: { type: "string" },
      default: [],
      description: "Further prefixes of image names that are refused, such as `docker.io/`.",
    },
  },
  on: "object",
  check: (object, { refused }, facts): Problem[] =>
    eachImage(object, facts, ({ path, image }) => {
      if (image === "") return [];
      const { repository, tag, digest } = referenceOf(image);
      const gone = [
        ...abandoned,
        ...(refused as string[]).map((prefix) => ({
          prefix,
          why: "refused by this pack's configuration",
          instead: "use another registry",
        })),
      ].find(({ prefix }) => repository.startsWith(prefix));
      return [
        ...(tag === "latest" || (tag === undefined && digest === undefined)
          ? [{ path, value: image, allowed: "a tag that isn't latest", fix: "name a released version" }]
          : []),
        ...(gone
          ? [
              {
                path,
                value: image,
                allowed: `any registry but ${gone.prefix.replace(/\/$/, "")}, which is ${gone.why}`,
                fix: gone.instead,
              },
            ]
          : []),
      ];
    }),
};
