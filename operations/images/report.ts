import * as z from "zod";

/** What `pgp images` tells of each image. */

export const states = ["pinned", "moved", "not pinned", "not known", "built here"] as const;
export type State = (typeof states)[number];

const signatures = ["verified", "failed", "not verified", "not known", "built here"] as const;

const image = z.object({
  image: z.string().describe("as the stack names it"),
  repository: z.string().describe("registry and repository, in full"),
  tag: z.string().optional().describe("absent where the name has none"),
  pinned: z.string().optional().describe("the digest that the name has"),
  today: z.string().optional().describe("the digest that the tag has in its registry, where it answered"),
  state: z
    .enum(states)
    .describe(
      "pinned: to the digest that its tag has; moved: to another one; not known: the registry didn't say; built here: it has no registry",
    ),
  why: z.string().optional().describe("why a digest isn't known, and what to do"),
  settings: z
    .array(z.string())
    .describe("the settings that name it; none where `transform` or a release does"),
  places: z.array(z.string()).describe("the objects and fields that name it"),
  newer: z
    .string()
    .optional()
    .describe("what this release runs by default, where the stack names another tag of it"),
  signature: z
    .object({
      state: z
        .enum(signatures)
        .describe("not verified: its publisher signs, and cosign wasn't asked; not known: whether it signs"),
      identity: z.string().optional().describe("who must have signed"),
      issuer: z.string().optional(),
      source: z.string().optional().describe("where that was read"),
      why: z.string().optional().describe("why it failed or wasn't verified"),
    })
    .describe("of the digest that is pinned, else of today's"),
  sbom: z
    .object({
      link: z.string().describe("the page that describes it"),
      command: z.string().describe("how it is read"),
    })
    .optional()
    .describe("absent where it isn't known"),
});
export type ImageReport = z.output<typeof image>;

/** What `pgp images --json` prints. */
export const imagesReport = z
  .object({
    stack: z.string(),
    images: z.array(image),
    dormant: z
      .array(z.object({ image: z.string(), place: z.string(), what: z.string() }))
      .describe(
        "images that the operator's configuration names and no cluster asks for: not run, and not asked about",
      ),
    written: z.array(z.string()).describe("settings that were written; empty without --write"),
    message: z.string().describe("the last line"),
  })
  .meta({ title: "Images" });
export type ImagesReport = z.output<typeof imagesReport>;

/** What a tag's registry said. */
export type Answer = { readonly digest: string } | { readonly unknown: string };
