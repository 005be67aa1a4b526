/** The spec of a CronJob of which one run at a time is made. */
export const oneAtATime = (
  { schedule, timeZone, lateSeconds, keeps }: Turns,
  jobTemplate: object,
): Record<string, unknown> => ({
  schedule,
  ...(timeZone !== undefined && { timeZone }),
  concurrencyPolicy: "Forbid",
  startingDeadlineSeconds: lateSeconds,
  successfulJobsHistoryLimit: keeps.successful,
  failedJobsHistoryLimit: keeps.failed,
  jobTemplate,
});

export interface Turns {
  readonly schedule: string;
  /** @default - that of the Kubernetes cluster */
  readonly timeZone?: string | undefined;
  /** How late a run may begin. */
  readonly lateSeconds: number;
  /** How many runs stay to be looked at. */
  readonly keeps: { readonly successful: number; readonly failed: number };
}
