import { type CommandSpec, stackOf, text } from "./spec";

export const images: readonly CommandSpec[] = [
  {
    name: "images",
    group: "look",
    summary: "list every image that the stack runs, by tag and digest, and pin them in the stack file",
    text: [
      "The list is made of the stack's planned objects; no cluster is asked. crane asks each registry which digest the tag has today, with Docker's logins; it is taken from PATH, " +
        "else built from its Go module. An image is pinned (to that digest), moved (pinned to another one), not pinned, or not known, with the reason.",
      "--write shows the lines of the stack file that change, and what the next `up` restarts because of them, then asks. It writes nothing where a digest isn't known, and leaves a moved image " +
        "alone without --update-moved.",
      "--verify asks cosign, where it is on PATH, whether the publisher signed the digest that is pinned, else today's. It was tried with a stand-in alone, never with cosign itself.",
    ],
    on: "stack",
    answers: true,
    asks: true,
    exits: {
      3: "an image is not pinned, has moved, or its digest isn't known",
      4: "with --verify: cosign isn't on PATH, and nothing was verified",
      5: "with --verify: cosign did not verify an image that its publisher signs",
    },
    json: async () => {
      const [{ imagesReport }, { schemaOf }] = await Promise.all([
        import("../images/report"),
        import("./schemas"),
      ]);
      return { title: "images", schema: schemaOf(imagesReport) };
    },
    options: [
      {
        flags: "--write",
        meaning: "write the digests of what isn't pinned into the stack file, after asking",
      },
      {
        flags: "--update-moved",
        meaning: "with --write: replace digests that their tags no longer have by today's, too",
      },
      { flags: "--verify", meaning: "verify signatures with cosign" },
      {
        flags: "--timeout <seconds>",
        meaning: "how long a registry is waited for; cosign three times as long",
        fallback: "20",
      },
    ],
    examples: [
      { command: "images --stack prod", does: "what prod runs, and which images aren't pinned" },
      { command: "images --stack prod --write", does: "pin them, after a look at the lines that change" },
      { command: "images --stack prod --write --update-moved", does: "take what moved tags are today, too" },
      { command: "images --stack prod --verify", does: "verify who signed them" },
      {
        command: "images --stack prod --json | jq '.images[] | select(.sbom) | .sbom.link'",
        does: "where the SBOMs are",
      },
    ],
    run: async (call) => {
      const { interruptible } = await import("../session");
      const { images: show } = await import("../images/command");
      const { screen } = await import("../images/render");
      const { report, exit } = await interruptible(call.progress, (signal) =>
        show(
          stackOf(call),
          {
            write: call.options.write === true,
            updateMoved: call.options.updateMoved === true,
            verify: call.options.verify === true,
            timeout: text(call, "timeout") ?? "20",
          },
          call.progress,
          signal,
        ),
      );
      return { line: screen(report).join("\n"), data: report, exit };
    },
  },
];
