import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { markedBy } from "../../operations/ci/markdown";
import { cacheDir, projectDir } from "../../shell/paths";
import { evaluate, filledIn } from "../support/expressions";
import { type Api, issuesApi } from "../support/issuesApi";
import { type Action, matrixOf, type Result, runJob, type Runner, workflows } from "../support/workflows";

/**
 * Workflows are executed step by step, with our own runner: GitHub's was never there. Actions are stand-ins, packages are this checkout's, and the API is one
 * on loopback.
 */

const all = workflows();
const jobs = Object.entries(all).flatMap(([file, { workflow }]) =>
  Object.entries(workflow.jobs).map(([name, job]) => ({ file, name, job })),
);
const jobOf = (file: string, name: string) => {
  const job = all[file]?.workflow.jobs[name];
  assert.ok(job, `${file}: ${name}`);
  return job;
};

describe("workflows", () => {
  it("call make, and nothing else", () => {
    const makefile = readFileSync(join(projectDir, "Makefile"), "utf8");
    for (const { file, name, job } of jobs)
      for (const { run } of job.steps) {
        if (run === undefined) continue;
        const [, target] =
          /^make (\S+)(?: [A-Z_]+=\S+)*(?: >> "\$GITHUB_(?:OUTPUT|STEP_SUMMARY)")?$/.exec(run) ?? [];
        assert.ok(target, `${file}: ${name}: ${run}`);
        const targets = target === '"$TARGET"' ? (job.strategy?.matrix.target as string[]) : [target];
        for (const one of targets) assert.match(makefile, new RegExp(`^${one}:`, "m"), `${file}: ${run}`);
      }
  });

  it("take each action by one commit, with its version behind it", () => {
    const known = new Map<string, string>();
    for (const [file, { text }] of Object.entries(all))
      for (const [, uses = ""] of text.matchAll(/uses: (.*)$/gm)) {
        const [, action = "", pin = ""] =
          /^([\w-]+\/[\w-]+)@([0-9a-f]{40} # v\d+\.\d+\.\d+)$/.exec(uses) ?? [];
        assert.notEqual(action, "", `${file}: ${uses}`);
        assert.equal(known.get(action) ?? pin, pin, action);
        known.set(action, pin);
      }
    assert.ok(known.size >= 5);
  });

  it("may do nothing by default, and each job what it needs", () => {
    for (const { workflow } of Object.values(all)) assert.deepEqual(workflow.permissions, {});
    const writing = jobs.flatMap(({ file, name, job: { permissions = {} } }) => {
      assert.equal(permissions.contents, "read", `${file}: ${name}`);
      return Object.entries(permissions).flatMap(([what, may]) =>
        may === "write" ? [`${file}: ${name}: ${what}`] : [],
      );
    });
    assert.deepEqual(writing.sort(), [
      "apply: up: id-token",
      "nightly: drift: id-token",
      "nightly: issues: issues",
      "pull-request: post: pull-requests",
    ]);
  });

  it("give a pull request no secret, and what may write to it none of its code", () => {
    for (const [file, { text, workflow }] of Object.entries(all)) {
      assert.doesNotMatch(text, /pull_request_target|workflow_run/, file);
      if (JSON.stringify(workflow.on).includes("pull_request"))
        assert.doesNotMatch(text, /secrets\.|id-token/, file);
    }
    const { steps, if: condition } = jobOf("pull-request", "post");
    const checkouts = steps.filter(({ uses = "" }) => uses.startsWith("actions/checkout@"));
    assert.deepEqual(
      checkouts.map((step) => step.with?.ref),
      ["${{ github.event.pull_request.base.sha }}"],
    );
    assert.match(condition ?? "", /head\.repo\.full_name == github\.repository/);
    for (const { job } of jobs)
      for (const step of job.steps)
        if (step.uses?.startsWith("actions/checkout@"))
          assert.equal(step.with?.["persist-credentials"], false);
  });

  it("let a stack that fails end none of the others, and what changes a stack wait for its environment", () => {
    for (const { file, name, job } of jobs)
      if (job.strategy !== undefined) assert.equal(job.strategy["fail-fast"], false, `${file}: ${name}`);
    for (const { file, name, job } of jobs)
      if (JSON.stringify(job).includes("secrets."))
        assert.match(job.environment ?? "", /matrix\.stack/, `${file}: ${name}`);
    assert.equal(jobOf("apply", "up").needs, "report");
    assert.doesNotMatch(JSON.stringify(all.apply?.workflow), /FORCE/);
  });
});

describe("an expression of a workflow", () => {
  it("is read as GitHub documents it", () => {
    const scope = { a: { b: "x", list: '["p"]' }, none: {} };
    const cases: [string, unknown][] = [
      ["a.b", "x"],
      ["none.such.thing", undefined],
      ["a.b == 'x' && !cancelled()", true],
      ["none.b != ''", false],
      ["fromJSON(a.list)", ["p"]],
      [`fromJSON(none.list || '["none"]')`, ["none"]],
      ["(a.b != 'x') || 'it''s'", "it's"],
    ];
    for (const [text, value] of cases) assert.deepEqual(evaluate(text, scope), value, text);
    assert.equal(filledIn("n-${{ a.b }}-${{ none.b }}", scope), "n-x-");
    for (const wrong of ["a.b c", "steps.x", "no(a)", "a.b ==", "a + b"])
      assert.throws(() => evaluate(wrong, scope), wrong);
  });
});

describe("workflows, executed by our runner (never by GitHub's; targets that need a network or a cluster are only read by make)", function () {
  this.timeout(300_000);
  let folder: string;
  let api: Api;
  let commits: { base: string; head: string };
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], {
      cwd: join(folder, "origin"),
      encoding: "utf8",
    }).trim();

  /** What isn't executed: this very suite and its like, and what needs a network or a cluster. */
  const onlyRead = ["lint", "test", "policy", "up", "ci-drift", "ci-providers"];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "pgp-workflows-"));
    api = await issuesApi();
    const origin = join(folder, "origin");
    const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
      cwd: projectDir,
      encoding: "utf8",
    });
    for (const file of files.split("\0").filter((one) => one !== "" && existsSync(join(projectDir, one)))) {
      mkdirSync(dirname(join(origin, file)), { recursive: true });
      cpSync(join(projectDir, file), join(origin, file), { verbatimSymlinks: true });
    }
    git("init", "--quiet", "--initial-branch=main");
    git("add", "--all");
    git("commit", "--quiet", "--message=base");
    const base = git("rev-parse", "HEAD");
    const prod = join(origin, "Pulumi.prod.yaml");
    writeFileSync(prod, readFileSync(prod, "utf8").replace("maxConnections: 200", "maxConnections: 210"));
    rmSync(join(origin, "Pulumi.standalone.yaml"));
    const waiver = (until: string) =>
      `    - {policy: alerts, resource: "Cluster a/b", reason: later, until: ${until}, who: Ada}\n`;
    const local = join(origin, "Pulumi.local.yaml");
    const soon = new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 10);
    writeFileSync(
      local,
      `${readFileSync(local, "utf8").trimEnd()}\n  pgplatform:waivers:\n${waiver(`"${soon}"`)}`,
    );
    git("add", "--all");
    git("commit", "--quiet", "--message=head");
    commits = { base, head: git("rev-parse", "HEAD") };
    mkdirSync(join(folder, "bin"));
    const real = spawnSync("sh", ["-c", "command -v make"], { encoding: "utf8" }).stdout.trim();
    writeFileSync(
      join(folder, "bin", "make"),
      `#!/bin/sh\necho "$*" >>'${folder}/calls'\ncase "$1" in ${onlyRead.join("|")}) exec ${real} -n "$@" ;; esac\nexec ${real} "$@"\n`,
      { mode: 0o755 },
    );
  });
  after(async () => {
    await api.close();
    rmSync(folder, { recursive: true, force: true });
  });

  let number = 0;
  const nothing: Action = () => undefined;

  /** Runs a job, on the commit that a run is about. */
  function run(file: string, name: string, commit: string, scope: Runner["scope"]): Promise<Result> {
    const workspace = join(folder, `run${number++}`);
    const artifacts = join(folder, "artifacts");
    const actions: Record<string, Action> = {
      "actions/checkout": ({ ref }, there) => {
        execFileSync("git", ["clone", "--quiet", join(folder, "origin"), there]);
        execFileSync("git", ["checkout", "--quiet", typeof ref === "string" ? ref : commit], { cwd: there });
        symlinkSync(join(projectDir, "node_modules"), join(there, "node_modules"));
      },
      "actions/setup-node": nothing,
      "actions/setup-go": nothing,
      "aws-actions/configure-aws-credentials": nothing,
      // Nothing to keep is no failure: `if-no-files-found: ignore`.
      "actions/upload-artifact": ({ name: artifact, path }, there) => {
        if (existsSync(join(there, String(path))))
          cpSync(join(there, String(path)), join(artifacts, String(artifact)), { recursive: true });
      },
      "actions/download-artifact": ({ pattern, path }, there) => {
        const wanted = String(pattern).replace("*", "");
        for (const one of readdirSync(artifacts).filter((artifact) => artifact.startsWith(wanted)))
          cpSync(join(artifacts, one), join(there, String(path)), { recursive: true });
      },
    };
    return runJob(jobOf(file, name), {
      workspace,
      scope: {
        matrix: {},
        needs: {},
        vars: {},
        secrets: {},
        ...scope,
        github: {
          token: "a-token",
          workspace,
          repository: "shop/databases",
          ref: "r",
          ...(scope.github as object),
        },
      },
      actions,
      env: {
        PATH: `${join(folder, "bin")}:${process.env.PATH}`,
        HOME: homedir(),
        PGP_CACHE: cacheDir,
        PGP_STATE: join(folder, "state"),
        GITHUB_API_URL: api.url,
        GITHUB_REPOSITORY: "shop/databases",
      },
    });
  }
  const pullRequest = (fork = false) => ({
    event: {
      pull_request: {
        number: 7,
        base: { sha: commits.base },
        head: { repo: { full_name: fork ? "mallory/databases" : "shop/databases" } },
      },
    },
  });

  it("check: each target is one of make's", async () => {
    const { target } = jobOf("check", "check").strategy?.matrix ?? {};
    assert.deepEqual(target, ["lint", "test", "policy"]);
    for (const one of target) {
      const { failed, printed } = await run("check", "check", commits.head, { matrix: { target: one } });
      assert.ok(!failed, printed);
      assert.match(printed, /npm/);
    }
  });

  it("pull request: the stacks, those whose files go among them, a comment for each, and both posted once", async () => {
    const github = pullRequest();
    const stacks = await run("pull-request", "stacks", commits.head, { github });
    assert.ok(!stacks.failed, stacks.printed);
    const needs = { stacks: { outputs: stacks.outputs } };
    const matrix = matrixOf(jobOf("pull-request", "comment"), "stack", { needs });
    assert.deepEqual(matrix, ["cnpg", "dev", "local", "prod", "standalone"]);

    for (const stack of ["prod", "standalone"]) {
      const { failed, summary, printed } = await run("pull-request", "comment", commits.head, {
        github,
        needs,
        matrix: { stack },
      });
      assert.ok(!failed, printed);
      const text = readFileSync(join(folder, "artifacts", `comment-${stack}`, `${stack}.md`), "utf8");
      assert.equal(summary.trim(), text.trim());
      assert.equal(markedBy(text)?.about, `stack ${stack}`);
      assert.doesNotMatch(text, /can't make its plan/, "each plan is made by its own program");
    }
    const fork = await run("pull-request", "post", commits.head, { github: pullRequest(true), needs: {} });
    assert.deepEqual([fork.ran, api.comments.length], [false, 0]);
    for (const verb of ["posted", "edited"]) {
      const post = await run("pull-request", "post", commits.head, { github });
      assert.ok(!post.failed, post.printed);
      assert.match(post.printed, new RegExp(`${verb}: stack prod`));
    }
    assert.deepEqual([...api.tokens], ["Bearer a-token"]);
    const [prod, standalone] = ["prod", "standalone"].map(
      (stack) => api.comments.find(({ body }) => markedBy(body)?.about === `stack ${stack}`)?.body ?? "",
    );
    assert.equal(api.comments.length, 2);
    assert.match(prod ?? "", /^## Stack `prod`: PostgreSQL restarts$/m);
    assert.match(prod ?? "", /\*\*yes\*\*: parameters max\\_connections/);
    assert.match(standalone ?? "", /the stack file is removed$/m);
  });

  it("apply: the report before, and up with nothing but what its environment has; without STACKS nothing", async () => {
    const github = { event: { before: commits.base } };
    const none = await run("apply", "report", commits.head, { github });
    assert.equal(none.ran, false);
    const vars = { STACKS: '["standalone"]', CONTEXT: "there" };
    const matrix = { stack: matrixOf(jobOf("apply", "report"), "stack", { vars })[0] };
    const report = await run("apply", "report", commits.head, { github, vars, matrix });
    assert.ok(!report.failed, report.printed);
    assert.match(report.summary, /^## Stack `standalone`/m);
    const up = await run("apply", "up", commits.head, {
      vars,
      matrix: { stack: "prod" },
      secrets: { KUBECONFIG_TEXT: "apiVersion: v1 'quoted' $HOME" },
    });
    assert.ok(!up.failed, up.printed);
    assert.match(up.printed, /pgp ci providers --stack 'prod'\n[^]*pgp up --stack 'prod'/);
    const written = join(folder, `run${number - 1}`, ".kubeconfig");
    assert.equal(readFileSync(written, "utf8"), "apiVersion: v1 'quoted' $HOME\n");
    assert.equal(spawnSync("stat", ["-c", "%a", written], { encoding: "utf8" }).stdout.trim(), "600");
  });

  it("nightly: drift is looked for, and waivers that end soon become an issue", async () => {
    const vars = { STACKS: '["prod"]' };
    const drift = await run("nightly", "drift", commits.head, {
      vars,
      matrix: { stack: "prod" },
      secrets: { KUBECONFIG_TEXT: "x" },
    });
    assert.ok(!drift.failed, drift.printed);
    assert.match(drift.printed, /pgp ci drift --stack 'prod' .*--file 'issues\/drift-prod\.md'/);
    const waivers = await run("nightly", "waivers", commits.head, {});
    assert.ok(waivers.failed, "a waiver that ends soon is a failure of its job");
    assert.match(waivers.printed, /local: the waiver of alerts for Cluster a\/b ends on/);
    const issues = await run("nightly", "issues", commits.head, {});
    assert.ok(!issues.failed, issues.printed);
    assert.deepEqual(
      api.issues.map(({ title }) => title),
      ["Waivers of policies that end soon"],
    );
  });

  it("have executed every step that needs neither network nor cluster", () => {
    const called = readFileSync(join(folder, "calls"), "utf8").trim().split("\n");
    const targets = new Set(called.map((line) => line.split(" ")[0]));
    const wanted = jobs.flatMap(({ job }) =>
      job.steps.flatMap(({ run: script = "" }) => /^make ([\w-]+)/.exec(script)?.[1] ?? []),
    );
    for (const one of wanted) assert.ok(targets.has(one), one);
    const executed = [...new Set(wanted)].filter((one) => !onlyRead.includes(one)).sort();
    assert.deepEqual(executed, ["ci-comment", "ci-kubeconfig", "ci-post", "ci-stacks", "ci-waivers"]);
  });
});
