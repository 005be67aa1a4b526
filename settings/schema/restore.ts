import * as z from "zod";
import { documented, label, objecting, quoted } from "./types";

const once =
  "It is read when the cluster is made, and refused while another one is there; a restored cluster begins an archive of its own. With the engine " +
  "zalando removing it restarts the instances one after another.";

const moment = (
  means: string,
  pattern: RegExp,
  allowed: string,
  fix: string,
  objection: Parameters<typeof objecting>[1] = () => undefined,
) =>
  documented(objecting(z.string().regex(pattern), objection), {
    means,
    change: once,
    allowed,
    fix,
    numbers: quoted,
  }).optional();

const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$/;

/** Whether the calendar and the clock have the moment: 30 February is read as 2 March otherwise. */
function isOnCalendar(text: string): boolean {
  const [date = "", clock = ""] = text.split("T");
  const day = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(Date.parse(text)) && day.toISOString().startsWith(date) && !clock.startsWith("24");
}

/** Whether a text is a moment as `restore.to.time` takes it. */
export const isMoment = (text: string): boolean => time.test(text) && isOnCalendar(text);

export const restore = z.strictObject({
  target: label("The backup target to restore from.", 20, once),
  archiveId: documented(z.string().regex(/^[0-9a-f]{10}$/), {
    means:
      "Which archive of the target: each cluster that was made has one of its own; `make status` and `make destroy` name it, and the store has a folder of that name.",
    change: once,
    allowed: "the ten characters of an archive ID, in quotes, such as 3f2a90b1c4",
    fix: "take the name that `make status` or `make destroy` gave, and write it in quotes",
    // Without quotes 12345678e2 is the number 1234567800: ten digits that end otherwise are as they were written.
    numbers: /^\d{8}(?!00)\d\d$/,
  }),
  from: documented(z.string().regex(/^[a-z0-9-]{1,63}\/[a-z0-9-]{1,63}$/), {
    means: "Namespace and name of the cluster that was backed up. Default: this cluster's.",
    change: once,
    allowed: "a namespace and a name with a slash between them, such as shop/main",
  }).optional(),
  to: z
    .strictObject({
      time: moment(
        "The moment to go back to: what was committed until then is there. Default: none.",
        time,
        "a time with its zone such as 2026-01-31T23:59:00Z",
        "write date, T, time and Z or an offset",
        (text) =>
          isOnCalendar(text)
            ? undefined
            : { allowed: "a day that the month has and a time that the day has", fix: "correct it" },
      ),
      lsn: moment(
        "The LSN to go back to, a place in the WAL; not with the engine zalando. Default: none.",
        /^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/,
        "a place such as 0/3000148",
        "write it as PostgreSQL does",
      ),
      name: moment(
        "The restore point to go back to, made by pg_create_restore_point; not with the engine zalando. Default: none.",
        /^[ -~]{1,63}$/,
        "the name of a restore point, 1 to 63 characters",
        "write the name that was given to the restore point",
      ),
    })
    .default({}),
});
