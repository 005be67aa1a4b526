import { type AuditRecord, auditOf } from "./audit";
import { type LogFields, levelOf, objectIn, plain, present, said, textOf, timeOf } from "./record";

/** What PostgreSQL says in a record, under the names that jsonlog and csvlog have in common here. */
export interface ServerRecord {
  readonly time: string | undefined;
  readonly severity: string;
  readonly message: string;
  readonly database: unknown;
  readonly user: unknown;
  readonly application: unknown;
  readonly client: string | undefined;
  readonly pid: unknown;
  readonly session: unknown;
  readonly sessionLine: unknown;
  readonly backend: unknown;
  readonly queryId: unknown;
  readonly sqlstate: unknown;
  readonly statement: unknown;
  readonly detail: unknown;
  readonly hint: unknown;
  readonly context: unknown;
  /** @default - what the message says, where it is pgAudit's */
  readonly audit?: AuditRecord;
}

/** `duration: 250.244 ms  execute P_0: select …`: the duration, and the statement where one follows. */
const timed =
  /^(duration: (\d+(?:\.\d+)?) ms)(?: {2}(?:statement|(?:parse|bind|execute|execute fetch from) .*?): ([^]*))?/;

const numberOf = (value: unknown): number | undefined => {
  const text = textOf(value);
  return text === undefined ? undefined : Number(text);
};

/** Success has a code too, which says nothing. */
const success = "00000";

export function serverFields(record: ServerRecord): LogFields {
  const { audit = auditOf(record.message) } = record;
  const found = timed.exec(record.message);
  const [, head, milliseconds, timedStatement] = found ?? [];
  return present({
    time: record.time,
    level: levelOf(record.severity),
    source: "postgresql",
    message: audit?.message ?? (timedStatement === undefined ? undefined : head) ?? record.message,
    database: textOf(record.database),
    user: textOf(record.user),
    application: textOf(record.application),
    client: record.client,
    pid: numberOf(record.pid),
    session: textOf(record.session),
    sessionLine: numberOf(record.sessionLine),
    backend: textOf(record.backend),
    queryId: textOf(record.queryId),
    sqlstate: record.sqlstate === success ? undefined : textOf(record.sqlstate),
    durationMs: numberOf(milliseconds),
    statement: audit?.statement ?? timedStatement?.trimEnd() ?? textOf(record.statement),
    auditType: audit?.auditType,
    auditClass: audit?.auditClass,
    auditCommand: audit?.auditCommand,
    objectType: audit?.objectType,
    object: audit?.object,
    detail: textOf(record.detail),
    hint: textOf(record.hint),
    context: textOf(record.context),
  });
}

/** The digits of a number that JavaScript would round. No text of a record can look like this: its quotation marks are escaped. */
const queryIdIn = (line: string): string | undefined => /"query_id":(-?\d+)/.exec(line)?.[1];

/** Of before the collector writes JSON. */
const serverText = /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \w+) \[(\d+)\] (\w+): {2}(.*)$/;

/** A line of the server's in no other form than text; undefined for any other. */
export function textLine(line: string): LogFields | undefined {
  const [, moment = "", pid, severity = "", message = ""] = serverText.exec(line) ?? [];
  return pid === undefined
    ? undefined
    : present({
        time: timeOf(moment),
        level: levelOf(severity),
        source: "postgresql",
        message,
        pid: Number(pid),
      });
}

/** A line of `log_destination = jsonlog`. */
export function jsonlogLine(line: string): LogFields {
  const record = objectIn(line);
  if (typeof record?.error_severity === "string") {
    const host = textOf(record.remote_host);
    const port = textOf(record.remote_port);
    return serverFields({
      time: timeOf(said(record.timestamp)),
      severity: record.error_severity,
      message: said(record.message),
      database: record.dbname,
      user: record.user,
      application: record.application_name,
      client: host !== undefined && port !== undefined ? `${host}:${port}` : host,
      pid: record.pid,
      session: record.session_id,
      sessionLine: record.line_num,
      backend: record.backend_type,
      queryId: queryIdIn(line),
      sqlstate: record.state_code,
      statement: record.statement ?? record.internal_query,
      detail: record.detail,
      hint: record.hint,
      context: record.context,
    });
  }
  return textLine(line) ?? plain("postgresql")(line);
}
