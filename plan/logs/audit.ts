import { type Json, textOf } from "./record";

/** What pgAudit says in a record's message: a line of CSV. */
export interface AuditRecord {
  readonly message: string;
  /** `SESSION` by a profile, `OBJECT` by a right of the audit's role. */
  readonly auditType: string | undefined;
  readonly auditClass: string | undefined;
  readonly auditCommand: string | undefined;
  readonly objectType: string | undefined;
  readonly object: string | undefined;
  readonly statement: string | undefined;
}

const MARK = "AUDIT: ";
const field = /(?:"((?:[^"]|"")*)"|([^,]*))(,|$)/y;

/** Fields of one line of CSV, in which a quotation mark is written twice. */
function fieldsOf(line: string): string[] {
  const fields: string[] = [];
  field.lastIndex = 0;
  for (let more = true; more;) {
    const found = field.exec(line);
    if (!found) break;
    fields.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? "");
    more = found[3] === ",";
  }
  return fields;
}

function record(
  [type, statementId, substatementId, group, command, objectType, object]: readonly string[],
  statement: string | undefined,
): AuditRecord {
  const told = [type, statementId, substatementId, group, command, objectType, object].map(
    (one) => one ?? "",
  );
  return {
    message: `${MARK}${told.join(",")}`,
    auditType: textOf(type),
    auditClass: textOf(group),
    auditCommand: textOf(command),
    objectType: textOf(objectType),
    object: textOf(object),
    // pgAudit's words where it wrote the text once and doesn't write it again.
    statement: statement === "<previously logged>" ? undefined : textOf(statement),
  };
}

/** What a message of pgAudit's says; undefined for any other message. */
export function auditOf(message: string): AuditRecord | undefined {
  if (!message.startsWith(MARK)) return undefined;
  const fields = fieldsOf(message.slice(MARK.length));
  return record(fields, fields[7]);
}

const names = [
  "audit_type",
  "statement_id",
  "substatement_id",
  "class",
  "command",
  "object_type",
  "object_name",
] as const;

/** The same of a record that another program has taken apart. */
export const auditOfFields = (audit: Json): AuditRecord =>
  record(
    names.map((name) => textOf(audit[name]) ?? ""),
    textOf(audit.statement),
  );
