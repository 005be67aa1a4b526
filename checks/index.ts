import type { EngineTraits } from "../plan/engines/planner";
import { plannerOf } from "../plan/engines/select";
import { withDefaults } from "./defaults";
import { schema, type Settings } from "../settings/schema";
import { spelled } from "../settings/spelling";
import { abilities } from "./abilities";
import { access } from "./access";
import { audit } from "./audit";
import { backup } from "./backup";
import { clients } from "./clients";
import { dangerousNumbers } from "./dangers";
import { databases, extensions, schemas } from "./databases";
import { problemsOf } from "./form";
import { images, mirrorProblems } from "./images";
import { instancesAndDurability } from "./instances";
import { labels } from "./labels";
import { libraries } from "./libraries";
import { locales } from "./locales";
import { maintenance } from "./maintenance";
import { memory } from "./memory";
import { monitoring } from "./monitoring";
import { names } from "./names";
import { namespaces } from "./namespaces";
import { networks } from "./network";
import { owners } from "./owners";
import { parameters } from "./parameters";
import { replication } from "./replication";
import { restore } from "./restore";
import { rotation } from "./rotation";
import { connectionSum, poolers } from "./poolers";
import { namespace, type Problem } from "../settings/problem";
import { queries } from "./queries";
import { resources } from "./resources";
import { registries } from "./registries";
import { roles } from "./roles";
import type { Rule } from "./rule";
import { scheduling } from "./scheduling";
import { sizes } from "./sizes";
import { storage } from "./storage";
import { tls } from "./tls";
import { retention, thresholds } from "./thresholds";
import { volumes } from "./volumes";
import { binding } from "./bindings";

export { type Problem, sentence } from "../settings/problem";

export type Checked = { readonly settings: Settings } | { readonly problems: readonly Problem[] };

/** One subject a file; each is asked, so that every problem is told at once. */
const rules: readonly Rule[] = [
  names,
  namespaces,
  labels,
  instancesAndDurability,
  scheduling,
  storage,
  volumes,
  resources,
  sizes,
  memory,
  parameters,
  dangerousNumbers,
  libraries,
  databases,
  locales,
  schemas,
  extensions,
  roles,
  replication,
  access,
  poolers,
  connectionSum,
  clients,
  networks,
  monitoring,
  audit,
  queries,
  binding,
  rotation,
  owners,
  tls,
  maintenance,
  backup,
  restore,
  registries,
  images,
  thresholds,
  retention,
  abilities,
];

/** Checks the relations between settings that each hold their form. */
export function checkRelations(settings: Settings, engine: EngineTraits): Problem[] {
  const problems: Problem[] = [];
  for (const rule of rules)
    rule(
      settings,
      (path, value, allowed, fix) => problems.push({ path: `${namespace}:${path}`, value, allowed, fix }),
      engine,
    );
  return problems;
}

/**
 * Parses and checks the settings of a stack: every problem at once. The relations between settings are checked only
 * when each setting has its form, since they would make no sense before. Pure: no cluster is asked.
 */
export function check(raw: unknown): Checked {
  const parsed = schema.safeParse(spelled(schema, raw));
  if (!parsed.success) return { problems: problemsOf(raw, parsed.error.issues) };
  const engine = plannerOf(parsed.data);
  const settings = withDefaults(parsed.data, engine);
  const problems = [...mirrorProblems(parsed.data), ...checkRelations(settings, engine)];
  return problems.length > 0 ? { problems } : { settings };
}
