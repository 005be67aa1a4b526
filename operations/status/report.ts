import * as z from "zod";

/** What `pgp status` knows: the screen is drawn of it, and `--json` prints it. */

const moment = z.string().describe("ISO 8601, UTC");
const unknown = "left out where it isn't known";

export const problem = z.object({
  severity: z.enum(["critical", "warning"]),
  what: z.string().describe("what is wrong, one sentence"),
  next: z.string().describe("the command to run next"),
  runbook: z.string().optional().describe("page with what to do, in docs/"),
  advice: z.array(z.string()).optional().describe("what else is to be done, a line each"),
});

const instance = z.object({
  name: z.string().describe("the pod"),
  role: z.enum(["primary", "standby", "unknown"]).describe("as PostgreSQL says; else the pod's label"),
  answers: z.boolean().describe("whether PostgreSQL answered within 2 s"),
  ready: z.boolean().describe("whether Kubernetes calls the pod ready"),
  why: z.string().optional().describe("why it doesn't answer, or isn't ready"),
  node: z.string().optional(),
  zone: z.string().optional(),
  timeline: z.number().optional(),
  lagBytes: z.number().optional().describe("WAL that it has not replayed; standbys alone"),
  lagSeconds: z.number().optional().describe("age of the newest replayed transaction; 0 where it has all"),
  sync: z.string().optional().describe("pg_stat_replication.sync_state; standbys alone"),
  startedAt: moment.optional().describe("start of its postmaster"),
  restarts: z.number().describe("of its containers"),
});

const pooler = z.object({
  name: z.string(),
  wanted: z.number().describe("pods that its Deployment asks for"),
  ready: z.number().describe("pods that are ready"),
  clients: z.number().optional().describe("clients that are connected"),
  waiting: z.number().optional().describe("clients that wait for a server connection"),
  waitSeconds: z.number().optional().describe("how long the first of them has waited"),
  servers: z.number().optional().describe("server connections"),
});

const volume = z.object({
  instance: z.string(),
  holds: z.enum(["data", "wal", "archive"]),
  bytes: z.number(),
  usedBytes: z.number(),
});

const target = z.object({
  name: z.string(),
  answers: z.boolean(),
  archiveId: z.string().optional().describe("the cluster's archive in it"),
  why: z.string().optional().describe("why it can't be read, or can't be restored from"),
  baseAt: moment.optional().describe("end of the newest base backup"),
  walAt: moment.optional().describe("when the newest WAL segment was stored"),
  verifiedAt: moment.optional().describe("when a restore was last tried"),
  verified: z.boolean().optional().describe("whether that restore was good"),
});

const change = z.object({
  at: moment,
  timeline: z.number().optional().describe("the timeline that began"),
  primary: z.string().optional().describe("who leads since then"),
  why: z.string().describe("what was written down of it"),
});

export const report = z
  .object({
    at: moment,
    context: z.string().describe("the kubeconfig's context"),
    namespace: z.string(),
    cluster: z.string(),
    engine: z.string(),
    writes: z.object({
      work: z
        .boolean()
        .nullable()
        .describe(
          "whether a row could be written at the primary within 2 s, and a pooler serves; null where nothing could be asked in time",
        ),
      why: z.string().describe("why not, or by what it is known"),
      since: moment.optional().describe(`since when they work, or when the last commit was; ${unknown}`),
      milliseconds: z.number().optional().describe("how long the row took"),
    }),
    problems: z.array(problem).describe("what is wrong, the worst first"),
    instances: z.array(instance),
    poolers: z.array(pooler),
    volumes: z.array(volume),
    sessions: z
      .object({
        connections: z.number(),
        maxConnections: z.number(),
        blocked: z.number().describe("sessions that wait for a lock"),
        blockedSeconds: z.number().describe("how long the first of them has waited"),
        longestTransactionSeconds: z.number(),
      })
      .optional()
      .describe("of the primary"),
    refusedLogins: z
      .array(
        z.object({
          role: z.string(),
          why: z.string(),
          count: z.number(),
          from: z.array(z.string()).describe("addresses"),
          at: z.array(z.string()).describe("pods that refused them"),
        }),
      )
      .describe(
        "of the last 10 minutes, by what the primary and the poolers logged; the most frequent first",
      ),
    archive: z
      .object({
        lastAt: moment.optional(),
        failing: z.boolean(),
        waitingSegments: z.number(),
        unarchivedSeconds: z.number().optional().describe("age of the oldest write that isn't archived"),
        rpoSeconds: z.number().optional().describe("how old it may be"),
      })
      .optional(),
    targets: z.array(target),
    volumeBackup: z
      .string()
      .optional()
      .describe("the newest base backup, where they are on the server's own volume alone"),
    certificates: z.array(z.object({ what: z.string(), secret: z.string(), ends: moment })),
    alerts: z.object({
      known: z.boolean().describe("whether a Prometheus could be asked"),
      firing: z.array(z.object({ name: z.string(), severity: z.string(), summary: z.string() })),
    }),
    changes: z.array(change).describe("changes of the primary, the newest first"),
    unread: z.array(z.string()).describe("what could not be read in time"),
  })
  .meta({ title: "Status" });

export type Report = z.infer<typeof report>;
export type Problem = z.infer<typeof problem>;
export type Instance = Report["instances"][number];
export type Pooler = Report["poolers"][number];
export type Volume = Report["volumes"][number];
export type Target = Report["targets"][number];
export type ChangeSeen = Report["changes"][number];
