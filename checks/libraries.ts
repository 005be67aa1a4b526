import { knownLibraries } from "./extensions";
import { type Rule, twice } from "./rule";

/** Libraries of PostgreSQL's own that bring no extension, and that can be preloaded. */
const contributed = ["auth_delay", "auto_explain", "passwordcheck", "pg_prewarm"];

/** What is preloaded must be in the image: PostgreSQL doesn't start without it. */
export const libraries: Rule = (settings, report, engine) => {
  const { preloadLibraries: asked } = settings.cluster;
  const image = knownLibraries(settings, engine);
  const known = image && [...new Set([...image, ...contributed])].sort();
  const doubled = twice(asked);
  asked.forEach((name, index) => {
    const path = `cluster.preloadLibraries[${index}]`;
    if (doubled.has(name)) report(path, name, "a library that is listed once", "remove one");
    if (known && !known.includes(name))
      report(
        path,
        name,
        `a library of the image ${settings.images.postgresql} (${known.join(", ")})`,
        "correct it, or name an image that has it in images.postgresql",
      );
  });
};
