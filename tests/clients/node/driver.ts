/** One connection of a driver. */
export interface Session {
  /** The first value of a statement's first row. */
  value(statement: string): Promise<unknown>;
  close(): Promise<unknown>;
}

/** What a client can do, by the recipe on docs/drivers.md. What a driver has no means for is left out. */
export interface Driver {
  /** Writes a row by the recipe's pool. */
  write(row: string): Promise<unknown>;
  /** Reads the table `changing` by the recipe's pool, prepared where the driver prepares. */
  read(): Promise<unknown>;
  session(): Promise<Session>;
  /** Uses a prepared statement with a number; what is the number after it. */
  prepared?(): Promise<(number: number) => Promise<number>>;
  /** Connects with a search_path of its own; what it then is. */
  searchPath?(path: string): Promise<unknown>;
  /** Whether a notification reaches a session that listens, while `send` runs. */
  hears?(channel: string, send: () => Promise<unknown>): Promise<boolean>;
  /** Copies rows into the table `copied`. */
  copy?(rows: readonly string[]): Promise<unknown>;
  /** Runs a statement, cancels it once it has said something, and tells how it ended. */
  cancelled?(statement: string, patienceMs: number): Promise<boolean>;
}
