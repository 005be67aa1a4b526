import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { issueOf, marker } from "../../operations/ci/markdown";
import { placeIn, postAll } from "../../operations/ci/post";
import { type Api, issuesApi } from "../support/issuesApi";

describe("what is posted (a stand-in for the API on loopback)", () => {
  let api: Api;
  let folder: string;
  beforeEach(async () => {
    api = await issuesApi();
    folder = mkdtempSync(join(tmpdir(), "pgp-posts-"));
  });
  afterEach(async () => {
    rmSync(folder, { recursive: true });
    await api.close();
  });

  const put = (name: string, text: string) => writeFileSync(join(folder, name), text);
  const place = (pullRequest?: string) =>
    placeIn(
      { GITHUB_API_URL: api.url, GITHUB_REPOSITORY: "shop/databases", GITHUB_TOKEN: "a-token" },
      pullRequest,
    );
  const comment = (stack: string, text: string, quiet = false) =>
    `${marker(`stack ${stack}`, quiet)}\n${text}\n`;
  const bodies = () => api.comments.map(({ body }) => body);

  it("is one comment for each stack, edited in its place", async () => {
    put("prod.md", comment("prod", "first"));
    mkdirSync(join(folder, "below"));
    put("below/dev.md", comment("dev", "dev"));
    assert.deepEqual(await postAll(folder, place("7")), ["posted: stack dev", "posted: stack prod"]);
    put("prod.md", comment("prod", "second"));
    assert.deepEqual(await postAll(folder, place("7")), ["edited: stack dev", "edited: stack prod"]);
    assert.deepEqual(bodies(), [comment("dev", "dev"), comment("prod", "second")]);
    assert.deepEqual([...api.tokens], ["Bearer a-token"]);
  });

  it("is nothing for a stack that doesn't change, unless it did in this pull request before", async () => {
    put("prod.md", comment("prod", "nothing changes", true));
    assert.deepEqual(await postAll(folder, place("7")), ["nothing to say of stack prod"]);
    put("prod.md", comment("prod", "a change"));
    await postAll(folder, place("7"));
    put("prod.md", comment("prod", "nothing changes", true));
    assert.deepEqual(await postAll(folder, place("7")), ["edited: stack prod"]);
    assert.deepEqual(bodies(), [comment("prod", "nothing changes", true)]);
  });

  it("leaves comments of others alone, and finds its own behind a hundred of them", async () => {
    const of = (login: string, body: string, id: number) => ({
      id,
      number: id,
      body,
      state: "open",
      user: { login },
    });
    api.comments.push(of("mallory", comment("prod", "not ours"), 1));
    for (let id = 2; id < 110; id++) api.comments.push(of("ada", "looks good", id));
    api.comments.push(of("github-actions[bot]", comment("prod", "ours"), 110));
    put("prod.md", comment("prod", "new"));
    assert.deepEqual(await postAll(folder, place("7")), ["edited: stack prod"]);
    assert.deepEqual([bodies()[0], bodies().at(-1)], [comment("prod", "not ours"), comment("prod", "new")]);
  });

  it("leaves out what isn't a text of ours, or is too long", async () => {
    put("a.md", "@everyone look\n");
    put("b.md", comment("prod", "x".repeat(70_000)));
    put("c.txt", comment("dev", "no"));
    assert.deepEqual(await postAll(folder, place("7")), [
      "left out: it isn't a text of `pgp ci`",
      "left out: stack prod is longer than may be posted",
    ]);
    assert.deepEqual(api.comments, []);
  });

  it("is an issue for what the nightly look finds, edited, and closed once it is right", async () => {
    const of = (...lines: string[]) => issueOf("drift prod", "Stack prod drifts", lines, "Do this.");
    put("drift.md", of("update a"));
    assert.deepEqual(await postAll(folder, place()), ["posted: drift prod"]);
    assert.equal(api.issues[0]?.title, "Stack prod drifts");
    assert.match(api.issues[0]?.body ?? "", /^<!-- postgres-platform: drift prod -->\n\n- update a\n/);
    put("drift.md", of("update a", "update b"));
    assert.deepEqual(await postAll(folder, place()), ["edited: drift prod"]);
    put("drift.md", of());
    assert.deepEqual(await postAll(folder, place()), ["closed: drift prod"]);
    assert.equal(api.issues[0]?.state, "closed");
    assert.deepEqual(await postAll(folder, place()), ["nothing to say of drift prod"]);
    assert.equal(api.issues.length, 1);
  });

  it("fails with the API's status, and names what a workflow has and this machine hasn't", async () => {
    api.refuse(403);
    put("prod.md", comment("prod", "x"));
    await assert.rejects(postAll(folder, place("7")), /The API answers 403 to GET \/issues\/7\/comments/);
    assert.throws(() => placeIn({ GITHUB_REPOSITORY: "a/b" }), /GITHUB_API_URL, GITHUB_TOKEN: not set/);
    assert.throws(() => place("7; rm"), /--pull-request: "7; rm" is not allowed/);
  });
});
