import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A stand-in for the API of issues and comments, on loopback: what the documentation says of it, as far as it is used here. */

export interface Text {
  id: number;
  number: number;
  title?: string;
  body: string;
  state: string;
  user: { login: string };
  pull_request?: object;
}

export interface Api {
  readonly url: string;
  /** Comments of pull request 7. */
  readonly comments: Text[];
  readonly issues: Text[];
  /** Each request as method and path. */
  readonly asked: string[];
  /** Tokens that were given. */
  readonly tokens: Set<string>;
  /** Answers every request with this status from now on. */
  refuse(status: number): void;
  close(): Promise<void>;
}

const BOT = "github-actions[bot]";

export async function issuesApi(repository = "shop/databases"): Promise<Api> {
  const comments: Text[] = [];
  const issues: Text[] = [];
  const asked: string[] = [];
  const tokens = new Set<string>();
  let next = 100;
  let refused: number | undefined;

  const answer = (method: string, path: string, query: URLSearchParams, given: Partial<Text>): unknown => {
    const page = (all: Text[]) => {
      const size = Number(query.get("per_page") ?? 30);
      return all.slice((Number(query.get("page") ?? 1) - 1) * size).slice(0, size);
    };
    const add = (list: Text[]): Text => {
      const made = { id: next, number: next, state: "open", user: { login: BOT }, body: "", ...given };
      next++;
      list.push(made);
      return made;
    };
    const edit = (list: Text[], id: number): Text | undefined => {
      const found = list.find((one) => one.id === id);
      return found && Object.assign(found, given);
    };
    const [, id] = /\/(\d+)$/.exec(path) ?? [];
    if (path === "/issues/7/comments") return method === "POST" ? add(comments) : page(comments);
    if (path === "/issues")
      return method === "POST" ? add(issues) : page(issues.filter(({ state }) => state === "open"));
    if (method === "PATCH" && path.startsWith("/issues/comments/")) return edit(comments, Number(id));
    if (method === "PATCH" && /^\/issues\/\d+$/.test(path)) return edit(issues, Number(id));
    return undefined;
  };

  const server: Server = createServer((request, response) => {
    let body = "";
    request.on("data", (data: Buffer) => (body += data.toString()));
    request.on("end", () => {
      const url = new URL(request.url ?? "", "http://localhost");
      const path = url.pathname.replace(`/repos/${repository}`, "");
      asked.push(`${request.method} ${path}`);
      tokens.add(request.headers.authorization ?? "");
      const given = (body === "" ? {} : JSON.parse(body)) as Partial<Text>;
      const found = answer(request.method ?? "", path, url.searchParams, given);
      const status = refused ?? (found === undefined ? 404 : 200);
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(found ?? {}));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    comments,
    issues,
    asked,
    tokens,
    refuse: (status) => (refused = status),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
