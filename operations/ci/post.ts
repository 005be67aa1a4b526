import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../shell/userError";
import { LONGEST_BYTES, markedBy } from "./markdown";

/** Posts what other commands have written, one text for each subject: an earlier one is edited in its place. */

/** Who posts in a workflow: texts of others are left alone, whatever their first line. */
const AUTHOR = "github-actions[bot]";

interface Posted {
  readonly id: number;
  readonly number: number;
  readonly body?: string | null;
  readonly user?: { readonly login?: string } | null;
  readonly pull_request?: unknown;
}

export interface Place {
  /** Address of the API: `GITHUB_API_URL`. */
  readonly api: string;
  /** `owner/name` */
  readonly repository: string;
  readonly token: string;
  /** The pull request to comment. @default - issues are made */
  readonly pullRequest?: string | undefined;
}

/** What a workflow's runner says of itself; one sentence for what is missing. */
export function placeIn(env: Readonly<Record<string, string | undefined>>, pullRequest?: string): Place {
  const missing = ["GITHUB_API_URL", "GITHUB_REPOSITORY", "GITHUB_TOKEN"].filter(
    (name) => (env[name] ?? "") === "",
  );
  if (missing.length > 0)
    throw new UserError([
      `${missing.join(", ")}: not set. Allowed: what a workflow has. Fix: run it in a workflow; \`make ci-comment\` writes the same text here.`,
    ]);
  if (pullRequest !== undefined && !/^\d+$/.test(pullRequest))
    throw new UserError([
      `--pull-request: "${pullRequest}" is not allowed. Allowed: a number. Fix: correct it.`,
    ]);
  const { GITHUB_API_URL: api = "", GITHUB_REPOSITORY: repository = "", GITHUB_TOKEN: token = "" } = env;
  return { api, repository, token, pullRequest };
}

async function ask<T>(
  { api, repository, token }: Place,
  method: string,
  path: string,
  body?: object,
): Promise<T> {
  const response = await fetch(`${api}/repos/${repository}${path}`, {
    method,
    headers: { accept: "application/vnd.github+json", authorization: `Bearer ${token}` },
    ...(body && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000),
  });
  if (!response.ok) throw new UserError([`The API answers ${response.status} to ${method} ${path}.`]);
  return (await response.json()) as T;
}

/** Comments of the pull request, or open issues. */
async function earlier(place: Place): Promise<Posted[]> {
  const { pullRequest } = place;
  const path = pullRequest === undefined ? "/issues?state=open&" : `/issues/${pullRequest}/comments?`;
  const all: Posted[] = [];
  for (let page = 1; ; page++) {
    const some = await ask<Posted[]>(place, "GET", `${path}per_page=100&page=${page}`);
    all.push(...some.filter((one) => one.user?.login === AUTHOR && one.pull_request === undefined));
    if (some.length < 100) return all;
  }
}

/** The title of an issue, and what is below it. */
function titled(text: string): { title: string; body: string } {
  const [mark = "", title = "", ...rest] = text.split("\n");
  return { title: title.replace(/^# /, ""), body: [mark, ...rest].join("\n") };
}

/** Posts one text; says what it did. */
async function postOne(place: Place, text: string, known: readonly Posted[]): Promise<string> {
  const mark = markedBy(text);
  if (mark === undefined) return "left out: it isn't a text of `pgp ci`";
  if (Buffer.byteLength(text) > LONGEST_BYTES) return `left out: ${mark.about} is longer than may be posted`;
  const former = known.find(({ body }) => markedBy(body ?? "")?.about === mark.about);
  const { pullRequest } = place;
  if (former === undefined && mark.quiet) return `nothing to say of ${mark.about}`;
  if (pullRequest !== undefined) {
    if (former === undefined) await ask(place, "POST", `/issues/${pullRequest}/comments`, { body: text });
    else await ask(place, "PATCH", `/issues/comments/${former.id}`, { body: text });
  } else {
    const issue = titled(text);
    if (former === undefined) await ask(place, "POST", "/issues", issue);
    else
      await ask(place, "PATCH", `/issues/${former.number}`, {
        ...issue,
        ...(mark.quiet && { state: "closed" }),
      });
  }
  return `${former === undefined ? "posted" : mark.quiet && pullRequest === undefined ? "closed" : "edited"}: ${mark.about}`;
}

/** Posts every text in a folder. */
export async function postAll(folder: string, place: Place): Promise<string[]> {
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith(".md")).sort();
  const known = await earlier(place);
  const said: string[] = [];
  for (const file of files)
    said.push(await postOne(place, await readFile(join(folder, file), "utf8"), known));
  return said;
}
