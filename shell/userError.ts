/** A user's mistake: printed without a stack trace, one line for each problem. */
export class UserError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "UserError";
  }
}
