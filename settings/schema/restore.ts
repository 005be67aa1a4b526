import * as z from "zod";
import { hasMomentForm, momentAllowed, momentFix, normalizeMoment } from "../moment";
import { documented, label, objecting, oneOf, quoted } from "./types";

const once =
  "It is read when the cluster is made, and refused while another one is there; a restored cluster begins an archive of its own. It may stay. Once the " +
  "restore has ended, removing it restarts nothing with `make up`, but for the instances of the engine zalando, once; before that, removing it is refused.";

const place = (means: string, pattern: RegExp, allowed: string, fix: string) =>
  documented(z.string().regex(pattern), { means, change: once, allowed, fix, numbers: quoted }).optional();

export const restore = z.strictObject({
  target: label("The backup target to restore from.", 20, once),
  archiveId: documented(z.string().regex(/^[0-9a-f]{10}$/), {
    means:
      "Which archive of the target: each cluster that was made has one of its own, and each of its major versions; `make status` and `make destroy` name it, and the store has a " +
      "folder of that name.",
    change: once,
    allowed: "the ten characters of an archive ID, in quotes, such as 3f2a90b1c4",
    fix: "take the name that `make status` or `make destroy` gave, and write it in quotes; an archive that another program made goes by serverName",
    // Without quotes 12345678e2 is the number 1234567800: ten digits that end otherwise are as they were written.
    numbers: /^\d{8}(?!00)\d\d$/,
  }).optional(),
  serverName: documented(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/), {
    means:
      "In the place of archiveId: the archive of a CloudNativePG cluster that wasn't made by this platform, by its `serverName` (by default the cluster's name); with the " +
      "engine cnpg. `make up` adds the platform's own schema and roles to what comes back. Default: none.",
    change: once,
    allowed: "the folder's name below the path, letters, digits, points, hyphens and underscores",
    fix: "take `serverName` of the Cluster that was backed up, or its name",
  }).optional(),
  path: documented(
    z
      .string()
      .regex(/^([A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*)?$/)
      .max(200),
    {
      means:
        "With serverName: where the archive is in the bucket, the `destinationPath` without `s3://` and the bucket; empty for the bucket itself. Default: `from`, else the " +
        "namespace and name of this cluster.",
      change: once,
      allowed: "names with slashes between them, such as backups/shop, and none at the ends",
    },
  ).optional(),
  from: documented(z.string().regex(/^[a-z0-9-]{1,63}\/[a-z0-9-]{1,63}$/), {
    means: "Namespace and name of the cluster that was backed up. Default: this cluster's.",
    change: once,
    allowed: "a namespace and a name with a slash between them, such as shop/main",
  }).optional(),
  to: z
    .strictObject({
      time: documented(
        objecting(z.string(), (text) =>
          normalizeMoment(text) !== undefined
            ? undefined
            : hasMomentForm(text)
              ? { allowed: "a day that the month has and a time that the day has", fix: "correct it" }
              : { allowed: momentAllowed, fix: momentFix },
        ),
        {
          means: "The moment to go back to: what was committed until then is there. Default: none.",
          change: once,
          allowed: momentAllowed,
          fix: momentFix,
          numbers: quoted,
        },
      ).optional(),
      lsn: place(
        "The LSN to go back to, a place in the WAL; not with the engine zalando. Default: none.",
        /^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/,
        "a place such as 0/3000148",
        "write it as PostgreSQL does",
      ),
      name: place(
        "The restore point to go back to, made by pg_create_restore_point; not with the engine zalando. Default: none.",
        /^[ -~]{1,63}$/,
        "the name of a restore point, 1 to 63 characters",
        "write the name that was given to the restore point",
      ),
    })
    .default({}),
  stage: oneOf(
    ["all", "source", "ended"],
    "How far the restore goes. `source` makes no cluster, only what the backups are looked into with: namespace, network, the stores' keys. `make restore` sets it by itself, " +
      "and shows what it has found before it asks. `ended`: what the instances have of the source stays, and nothing looks at it any more; `make up` sets it by itself, where the " +
      "cluster was made by a restore that the stack file no longer has. Default: all.",
    "It is refused while the cluster is there.",
  ).default("all"),
});
