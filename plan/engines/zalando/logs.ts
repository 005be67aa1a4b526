import { jsonlogLine, textLine } from "../../logs/postgresql";
import { type LineReader, levelOf, plain, present } from "../../logs/record";
import { serverContainer } from "../../names";

/** Patroni's text, and that of what starts it: moment, level, message; in UTC, as containers are. */
const patroniText = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:[,.](\d{3})\d*)? ([A-Z]+): +(.*)$/;

const patroni: LineReader = (line) => {
  const [, day, clock, fraction = "000", word = "", message = ""] = patroniText.exec(line) ?? [];
  return day === undefined
    ? (textLine(line) ?? plain("patroni")(line))
    : present({ time: `${day}T${clock}.${fraction}Z`, level: levelOf(word), source: "patroni", message });
};

/** Container that prints what PostgreSQL's collector writes into files. */
export const logsContainer = "logs";

/** How the lines of an instance's containers are read. */
export const logs: Readonly<Record<string, LineReader>> = {
  [serverContainer]: patroni,
  [logsContainer]: jsonlogLine,
};
