import { jsonlogLine } from "../../logs/postgresql";
import { type LineReader, plain } from "../../logs/record";
import { serverContainer } from "../../names";

/** How the lines of the server's containers are read. */
export const logs: Readonly<Record<string, LineReader>> = {
  [serverContainer]: jsonlogLine,
  "config-reloader": plain("config-reloader"),
  archiver: plain("archiver"),
};
