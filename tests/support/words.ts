/** A word that texts for users do not use, and the field's own term for it. */
export interface Word {
  readonly word: string;
  readonly pattern: RegExp;
  readonly use: string;
}

/** The left column of the project's list of words, as patterns. Texts of settings and messages may use the list, too. */
export const words: readonly Word[] = [
  // Names of before the first release.
  { word: "logDays", pattern: /\blogDays\b/, use: "walRetentionDays" },
  { word: "logVolume, log-volume", pattern: /\blog-?volumes?\b/i, use: "walVolume, wal-volume" },
  { word: "log-archive", pattern: /\blog-archiv/i, use: "wal-archiving" },
  { word: "the log", pattern: /\bthe log(?:'s)?\b(?! of the (?:container|pod|Job))/i, use: "WAL" },
  {
    word: "log and base backups",
    pattern: /\blog and base backups?\b|\bbase backups? and log\b/i,
    use: "WAL",
  },
  {
    word: "authorityPem, authority",
    pattern: /\bauthorit(?:y|ies)\b|authorityPem/i,
    use: "CA, caCertificate",
  },
  { word: "generation", pattern: /\bgenerations?\b/i, use: "archive ID; credential version" },
  { word: "wiring", pattern: /\bwir(?:ing|ed)\b/i, use: "binding" },
  {
    word: "a server alone",
    pattern: /(?<!API\s)\bservers? alone\b|\blone server/i,
    use: "standalone server",
  },
  { word: "verify.probes", pattern: /\bverify\.probes\b|\basks the probes\b/, use: "verify.queries" },
  // Words that name no actor, or that a reader of PostgreSQL's manual does not meet there.
  { word: "anew", pattern: /\banew\b/i, use: "again; recreate" },
  { word: "nobody, somebody", pattern: /\b(?:no|some)body\b/i, use: "the actor's name" },
  { word: "whoever", pattern: /\bwho(?:so)?ever\b/i, use: "the actor's name" },
  { word: "mend", pattern: /\bmend(?:s|ed|ing)?\b/i, use: "fix" },
  {
    word: "take away",
    pattern: /\bt(?:ake|akes|aken|aking|ook)\b(?:\s+[^\s.,;:|]+){0,5}?\s+away\b/i,
    use: "remove",
  },
  { word: "go on", pattern: /\b(?:go|goes|going|gone|went) on\b/i, use: "continue" },
  { word: "stand in", pattern: /\b(?:stands?|standing|stood) in\b/i, use: "is in" },
  { word: "allowed is nothing", pattern: /\ballowed is nothing\b/i, use: "must not be set" },
];

/** The words that a text uses, each with the line it is in. */
export const found = (text: string): { word: string; use: string; line: string }[] =>
  words.flatMap(({ word, pattern, use }) =>
    [...text.matchAll(new RegExp(pattern.source, `g${pattern.flags}`))].map(({ index }) => ({
      word,
      use,
      line: `${text.slice(0, index).split("\n").length}: ${text
        .slice(text.lastIndexOf("\n", index) + 1)
        .split("\n")[0]
        ?.trim()}`,
    })),
  );
