// Pulumi's runner of policy packs registers ts-node, with type checks, whatever the options say. tsx, registered after
// it, takes its place: types are checked by `make lint`.
require("tsx/cjs");
require("./index.ts");
