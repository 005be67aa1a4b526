import * as z from "zod";

/**
 * What a platform promises when something fails, what it has room for and what it costs: plain data, which is a stack's output, what `pgp report --json` prints,
 * and what two plans are compared by.
 */

export const lossKinds = ["nothing", "backups", "last commits", "last minutes", "everything"] as const;

/** Pulumi may leave out of a stack's outputs what is null. */
const amountOrNull = () => z.number().nullable().default(null);

const failure = z.object({
  id: z.string().describe("by which the same failure is found in another report"),
  title: z.string(),
  happens: z.string().describe("what the platform does"),
  pause: z
    .object({
      seconds: amountOrNull().describe("how long writes pause at most; null where no bound is known"),
      basis: z
        .enum(["none", "measured", "derived", "unknown", "hand"])
        .describe("how that is known; hand: it lasts until you act, or what failed is back"),
      note: z.string().describe("where the number comes from"),
    })
    .describe("how long writes pause"),
  loss: z
    .object({
      kind: z
        .enum(lossKinds)
        .describe("what may be lost of acknowledged work; backups: of the history alone"),
      minutes: amountOrNull().describe("of the last work, where that is the bound"),
      note: z.string(),
    })
    .describe("what can be lost"),
  settings: z
    .array(z.object({ path: z.string(), value: z.string() }))
    .describe("what decides that, below pgplatform:"),
});

const part = z.object({ text: z.string(), amount: z.number() });

const budget = z.object({
  unit: z.enum(["connections", "bytes"]),
  parts: z.array(part).describe("the sum"),
  needed: z.number(),
  limit: z.number(),
});

const cost = z.object({
  what: z.string(),
  gibibytes: z.number(),
  monthly: amountOrNull().describe("null where no price is known"),
  note: z.string(),
});

export const reliability = z
  .object({
    version: z.literal(1),
    cluster: z.string().describe("namespace and name"),
    engine: z.string(),
    failures: z.array(failure),
    connections: budget.describe("what may be opened, within max_connections"),
    memory: budget.describe("what an instance may take at once, within its limit"),
    wal: z
      .object({
        volumeBytes: z.number().describe("the volume that has the WAL"),
        own: z.boolean().describe("whether that volume has nothing else"),
        reservedBytes: z.number().describe("max_wal_size and wal_keep_size"),
        writeMiBPerSecond: amountOrNull(),
        lastsHours: amountOrNull().describe("until it is full, with nothing archived; null: not known"),
        text: z.string(),
      })
      .describe("for how long WAL may accumulate"),
    recovery: z
      .object({
        targets: z.number(),
        windowDays: z.number(),
        rpoMinutes: amountOrNull().describe("null without backups"),
      })
      .describe("how far back, and how near to the end"),
    costs: z
      .object({
        currency: z.literal("USD"),
        volumes: z.array(cost),
        backups: z.array(cost),
        total: amountOrNull().describe("null where a part isn't known"),
        note: z.string(),
      })
      .describe("a month of volumes and stores; servers, requests and traffic aren't in it"),
  })
  .meta({ title: "Reliability" });

export type Reliability = z.output<typeof reliability>;
export type Failure = z.output<typeof failure>;
export type Cost = z.output<typeof cost>;
export type Budget = z.output<typeof budget>;
