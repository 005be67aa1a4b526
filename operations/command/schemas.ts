import * as z from "zod";
import { levels } from "../../plan/logs/record";

/** What `--json` prints where a command has no answer of its own. */
export const result = z
  .object({
    command: z.string().describe("the command's words"),
    ok: z.boolean().describe("whether it was done, or all was well"),
    message: z.string().describe("its closing line; empty where there is none"),
    problems: z.array(z.string()).optional().describe("why it failed, a sentence each"),
  })
  .meta({ title: "Result" });

/** As JSON Schema, draft 2020-12. */
export const schemaOf = (type: z.ZodType): object => z.toJSONSchema(type, { io: "output" });

const row = z
  .looseObject({
    kind: z.enum(["wal", "base", "dump", "refused", "unknown"]).describe("what the line is about"),
    target: z.string().optional().describe("name of the target"),
    archiveId: z.string().optional().describe("the archive's folder in it"),
    id: z.string().optional().describe("of a base backup or a dump"),
    bytes: z.number().nullable().optional().describe("its size; null where the store doesn't say"),
    verdict: z.enum(["passed", "late", "failed"]).optional().describe("what its last verification came to"),
  })
  .describe("as docs/backup.md lists them");

export const backupsSchema = (): object => schemaOf(z.object({ rows: z.array(row) }));

/** One line of `logs`; docs/logs.md says when a field is there. */
export const logSchema = (): object =>
  schemaOf(
    z.looseObject({
      time: z.string().describe("ISO 8601, UTC"),
      level: z.enum(levels),
      namespace: z.string(),
      cluster: z.string(),
      instance: z.string().describe("name of the pod"),
      role: z.string().describe("what the pod was when the line was read"),
      source: z.string(),
      message: z.string(),
    }),
  );

/** What each step of a recovery found. */
export const recoverSchema = (): object =>
  schemaOf(
    z.object({
      message: z.string().describe("the closing line").optional(),
      steps: z.array(
        z.object({
          step: z.string().describe("its name"),
          found: z.string().describe("what it found"),
          did: z.string().optional().describe("what it did; left out where nothing was to be done"),
        }),
      ),
    }),
  );
