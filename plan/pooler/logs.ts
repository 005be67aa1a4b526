import { type LineReader, levelOf, plain, present, timeOf } from "../logs/record";

/** PgBouncer's text: moment, process, level, then the connection that it is about where there is one. */
const line = /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \w+) \[(\d+)\] (\w+) ([^]*)$/;
/** `C-` is a client's connection and `S-` one to a server: its address in memory, database, user and the other end. */
const connection = /^([CS])-0x[0-9a-f]+: ([^/]*)\/(.*?)@(\S+?:\d+|unix\S*) ([^]*)$/;

const named = (text: string | undefined): string | undefined =>
  text === undefined || /^\(no/.test(text) ? undefined : text;

const pgbouncer: LineReader = (text) => {
  const [, moment = "", pid, word = "", said = ""] = line.exec(text) ?? [];
  if (pid === undefined) return plain("pgbouncer")(text);
  const [, end, database, user, address, rest] = connection.exec(said) ?? [];
  return present({
    time: timeOf(moment),
    level: levelOf(word),
    source: "pgbouncer",
    message: (end === "S" ? `server ${address}: ${rest}` : rest) ?? said,
    database: named(database),
    user: named(user),
    client: end === "C" ? address : undefined,
    pid: Number(pid),
  });
};

/** How the lines of a pooler's containers are read. */
export const logs: Readonly<Record<string, LineReader>> = { pgbouncer };
