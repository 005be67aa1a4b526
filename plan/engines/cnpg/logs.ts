import { auditOfFields } from "../../logs/audit";
import { serverFields, textLine } from "../../logs/postgresql";
import {
  type Json,
  type LineReader,
  levelOf,
  objectIn,
  plain,
  present,
  said,
  textOf,
  timeOf,
} from "../../logs/record";

/** The collector's record of the instance manager: csvlog's fields, all of them text. */
interface CollectorRecord extends Json {
  readonly audit?: Json;
}

const isRecord = (value: unknown): value is CollectorRecord => typeof value === "object" && value !== null;

/**
 * A line of the instance manager's or of the plugin's: JSON. PostgreSQL's records are in `record`, and what its programs print is
 * in `msg` under their loggers' names.
 */
const managed =
  (source: string): LineReader =>
  (line) => {
    const object = objectIn(line);
    if (typeof object?.msg !== "string") return plain(source)(line);
    const { record } = object;
    if (isRecord(record)) {
      const { audit } = record;
      return serverFields({
        time: timeOf(said(record.log_time)) ?? timeOf(said(object.ts)),
        severity: said(record.error_severity),
        message: said(record.message),
        database: record.database_name,
        user: record.user_name,
        application: record.application_name,
        client: textOf(record.connection_from),
        pid: record.process_id,
        session: record.session_id,
        sessionLine: record.session_line_num,
        backend: record.backend_type,
        queryId: record.query_id,
        sqlstate: record.sql_state_code,
        statement: record.query ?? record.internal_query,
        detail: record.detail,
        hint: record.hint,
        context: record.context,
        ...(audit && { audit: auditOfFields(audit) }),
      });
    }
    const ofServer = object.logger === "postgres";
    return present({
      time: timeOf(said(object.ts)),
      level: levelOf(said(object.level)),
      source: ofServer ? "postgresql" : source,
      message: object.msg,
      detail: textOf(object.error),
      ...(ofServer && textLine(object.msg)),
    });
  };

/** How the lines of an instance's containers are read. */
export const logs: Readonly<Record<string, LineReader>> = {
  postgres: managed("instance-manager"),
  "plugin-barman-cloud": managed("plugin-barman-cloud"),
};
