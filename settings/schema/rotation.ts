import * as z from "zod";
import { oneOf, integer } from "./types";

export const rotation = z.strictObject({
  credentialVersion: integer(
    "Which passwords the roles have: the owners of databases, cluster.roles, the admin and the pooler. Raise it by one to rotate them all. " +
      "Default: 1.",
    1,
    9999,
    "`make up` makes new logins, tries them directly and through the poolers, hands them out, waits until no session uses the old ones, and " +
      "closes those. The poolers' pods are rolled; PostgreSQL keeps running.",
  ).default(1),
  overlapMinutes: integer(
    "How long `make up` waits for applications to leave the old logins, which work meanwhile; then it ends and lists the sessions that still use them. " +
      "Default: 10.",
    1,
    1440,
    "A change holds for the next rotation.",
    "minutes",
  ).default(10),
  stage: oneOf(
    ["added", "handed-out", "only"],
    "How far the credential version is in use; `make up` sets it by itself. added: the new logins are there; handed-out: applications find them in " +
      "their Secrets; only: the old ones are closed. Default: only.",
    "Leave it out: a change skips what comes before.",
  ).default("only"),
});
