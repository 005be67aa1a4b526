/** Honest progress for long work: one line when a step starts, one at least every 10 s, one when it ends. */

export const HEARTBEAT_MS = 10_000;

/** What a running step may say about itself; shown with the next heartbeat, or at once with `say`. */
export interface StepContext {
  /** Remembers the latest detail; the next heartbeat shows it. */
  detail(text: string): void;
  /** Prints a line of its own. */
  say(text: string): void;
}

export class Progress {
  private readonly started = Date.now();

  constructor(private readonly write: (line: string) => void = (line) => process.stdout.write(`${line}\n`)) {}

  /** Minutes and seconds since the command started. */
  elapsed(): string {
    const seconds = Math.floor((Date.now() - this.started) / 1000);
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }

  line(text: string): void {
    this.write(`[${this.elapsed().padStart(5)}] ${text}`);
  }

  /** Runs one step under a title; a step that throws leaves no "done" line. */
  async step<T>(title: string, work: (context: StepContext) => Promise<T>): Promise<T> {
    const start = Date.now();
    const seconds = () => Math.round((Date.now() - start) / 1000);
    let detail = "";
    this.line(`${title} …`);
    const timer = setInterval(
      () => this.line(`${title} … ${seconds()} s${detail === "" ? "" : `: ${detail}`}`),
      HEARTBEAT_MS,
    );
    try {
      const result = await work({
        detail: (text) => (detail = text.trim().slice(0, 140)),
        say: (text) => this.line(`${title}: ${text}`),
      });
      this.line(`${title}: done in ${seconds()} s`);
      return result;
    } finally {
      clearInterval(timer);
    }
  }
}
