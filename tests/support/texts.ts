/** Text parameters with values that PostgreSQL takes, and values that keep it from starting. */
export const texts: Readonly<
  Record<string, { readonly taken: readonly string[]; readonly refused: readonly string[] }>
> = {
  timezone: {
    taken: ["UTC", "Europe/Berlin", "europe/berlin", "EST5EDT", "<+03>-03"],
    refused: ["Mars", "Europe/Berln"],
  },
  timezone_abbreviations: { taken: ["Default", "India"], refused: ["Mars"] },
  datestyle: { taken: ["iso", "ISO, DMY", "German", "sql ,european"], refused: ["foo", "iso, dym"] },
  lc_messages: { taken: ["C", "POSIX"], refused: ["english", "xx-YY"] },
  lc_monetary: { taken: ["C"], refused: ["euro"] },
  lc_numeric: { taken: ["C"], refused: ["de"] },
  lc_time: { taken: ["C"], refused: ["UTC"] },
  client_encoding: { taken: ["UTF8", "utf-8", "latin1", "WIN1252"], refused: ["UTF16", "foo"] },
  search_path: {
    taken: ["app, public", '"$user", public', '"a,b" , c', ""],
    refused: ["app,,public", "a b", "app,"],
  },
  createrole_self_grant: { taken: ["set, inherit", "set", ""], refused: ["all"] },
  restrict_nonsystem_relation_kind: { taken: ["view", "view, foreign-table", ""], refused: ["table"] },
};

/** Those that a server takes, and with which no session begins or no table is made. */
export const useless: readonly (readonly [parameter: string, value: string])[] = [
  ["session_preload_libraries", "nope"],
  ["local_preload_libraries", "auto_explain"],
  ["default_table_access_method", "columnar"],
  ["wal_consistency_checking", "all"],
];
