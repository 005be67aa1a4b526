import type { Problem } from "../../settings/problem";
import { eachImage, referenceOf } from "./images";
import type { ObjectInvariant } from "./invariant";

export const imageDigestsInvariant: ObjectInvariant = {
  number: "31a",
  name: "image-digests",
  description: "Images are pinned by tag and digest, so that what was tested is what runs.",
  severity: "medium",
  mandatory: "prod",
  remediation:
    "Add the digest to the image's name: `name:tag@sha256:…`. `pgp images --write` does it for a stack of the platform, in `pgplatform:images`.",
  options: {
    waived: {
      type: "array",
      items: { type: "string" },
      default: [],
      description: "Images, written exactly as they are used, that need no digest.",
    },
  },
  on: "object",
  check: (object, { waived }, facts): Problem[] =>
    eachImage(object, facts, ({ path, image }) => {
      const { tag, digest } = referenceOf(image);
      if ((tag !== undefined && digest !== undefined) || (waived as string[]).includes(image)) return [];
      return [
        {
          path,
          value: image === "" ? undefined : image,
          allowed: "a name with tag and digest, such as registry/name:tag@sha256:…",
          fix: "add what is missing",
        },
      ];
    }),
};
