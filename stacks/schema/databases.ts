import * as z from "zod";
import { about, sqlName } from "../settingTypes";

export const databases = about(
  z
    .array(
      z.strictObject({
        name: sqlName("Name of the database.", "A change makes another database and leaves the data behind."),
        owner: sqlName(
          "Role that owns the database and everything in its public schema.",
          "A change makes another role.",
        ),
      }),
    )
    .min(1),
  {
    means:
      "Databases and their owners. The first is made with the cluster, and its owner is the application's role.",
    change: "A change of the first one makes nothing: it holds at creation only. Others are added at once.",
    allowed: "at least one database with name and owner",
    fix: "list the application's database",
  },
);
