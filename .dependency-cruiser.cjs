// Which floor may import which: see docs/architecture.md. `npm run floors` and `make lint` hold it.
const floors = [
  ["shell"],
  ["settings"],
  ["plan"],
  ["releases"],
  ["policy"],
  ["checks"],
  ["components", "local"],
  ["stacks", "operations"],
];

/** A pattern for files in any of the folders. */
const inside = (folders) => `^(${folders.join("|")})/`;

/** What reading rendered objects takes of plan/. */
const readable = [
  "^plan/(guarded|lists|mounted|names|network|objects|opening|selector|services)\\.ts$",
  "^plan/backup/hosts\\.ts$",
  "^plan/changes/fixed\\.ts$",
  "^plan/pooler/(facts|spread)\\.ts$",
  "^plan/engines/readers?\\.ts$",
  "^plan/engines/[^/]+/(reader|operatorFacts|backupFacts|names|resources)\\.ts$",
];

/** A floor imports floors below it, or its own folder. */
const upward = floors.flatMap((folders, level) =>
  folders.map((folder) => {
    const foreign = floors
      .slice(level)
      .flat()
      .filter((other) => other !== folder);
    return {
      name: `${folder}-imports-down`,
      comment: `${folder}/ may import only floors below it.`,
      severity: "error",
      from: { path: inside([folder]) },
      to: { path: `${inside(foreign)}|^(index\\.ts$|tests/|docs/)` },
    };
  }),
);

module.exports = {
  forbidden: [
    ...upward,
    {
      name: "policy-reads",
      comment:
        "The policy pack judges objects of anybody: it loads the engines' readers and no planner, however far away.",
      severity: "error",
      from: { path: inside(["policy"]) },
      to: { path: inside(["plan"]), pathNot: readable, reachable: true },
    },
    {
      name: "no-circle",
      comment: "Files that import each other can't be read, tested or moved alone.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "pure-of-pulumi",
      comment: "Settings, plans and checks are plain data: Pulumi belongs to components/ and stacks/.",
      severity: "error",
      from: { path: inside(["settings", "plan", "checks"]) },
      to: { path: "(^|node_modules/)@pulumi/" },
    },
    {
      name: "pure-of-processes",
      comment: "Settings, plans and checks run nothing and ask no network.",
      severity: "error",
      from: { path: inside(["settings", "plan", "checks"]) },
      to: { path: "^(node:)?(child_process|net|http|https|tls|dns)(/|$)" },
    },
    {
      name: "pure-of-files",
      comment: "What belongs to the program is read by shell/asset.ts.",
      severity: "error",
      from: { path: inside(["settings", "plan"]) },
      to: { path: "^(node:)?fs(/|$)" },
    },
    {
      name: "resolvable",
      comment: "An import that leads nowhere.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true, pathNot: "^tsx/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["types", "require", "node", "default"],
    },
    exclude: { path: "^(coverage|local/pictures/page)/" },
  },
};
