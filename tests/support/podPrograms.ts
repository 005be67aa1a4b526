import { basename } from "node:path";
import { read, programs, type Command } from "./shellCommands";

/** What the containers of planned objects run, out of the scripts that are mounted there. */

interface Container {
  name: string;
  image: string;
  command?: string[];
  args?: string[];
  env?: { name: string; value?: string }[];
  volumeMounts?: { name: string; mountPath: string; subPath?: string }[];
  readinessProbe?: { exec?: { command: string[] } };
  livenessProbe?: { exec?: { command: string[] } };
}

interface Volume {
  name: string;
  configMap?: { name: string };
  projected?: { sources: { configMap?: { name: string } }[] };
}

interface PodSpec {
  containers?: Container[];
  initContainers?: Container[];
  volumes?: Volume[];
}

export interface Run {
  /** Where: object and container. */
  readonly where: string;
  readonly image: string;
  readonly programs: readonly Command[];
  /** Modules that its Python scripts import. */
  readonly imports: readonly string[];
  readonly scripts: readonly string[];
}

interface KubeObject {
  kind?: string;
  metadata?: { name?: string };
  data?: Record<string, string>;
}

/** Every object in a plan's values, wherever. */
function objectsIn(value: unknown): KubeObject[] {
  if (Array.isArray(value)) return value.flatMap(objectsIn);
  if (typeof value !== "object" || value === null) return [];
  const own = "kind" in value && "apiVersion" in value ? [value as KubeObject] : [];
  return [...own, ...Object.values(value).flatMap(objectsIn)];
}

function podsIn(value: unknown): PodSpec[] {
  if (Array.isArray(value)) return value.flatMap(podsIn);
  if (typeof value !== "object" || value === null) return [];
  const own = "containers" in value && Array.isArray(value.containers) ? [value as PodSpec] : [];
  return [...own, ...Object.values(value).flatMap(podsIn)];
}

/** A program that a container's command gives to Python itself. */
function pythonIn(start: readonly string[]): string[] {
  const own = start.slice(start.findIndex((word) => basename(word) === "python3"));
  const at = own.indexOf("-c");
  return basename(own[0] ?? "") === "python3" && at > 0 ? own.slice(at + 1, at + 2) : [];
}

const isShell = (command: string | undefined) => ["sh", "bash"].includes(basename(command ?? ""));

function runOf(
  where: string,
  container: Container,
  files: ReadonlyMap<string, string>,
): Omit<Run, "where" | "image"> {
  const variables = new Map((container.env ?? []).map(({ name, value }) => [name, value ?? ""]));
  const probes = [container.readinessProbe?.exec?.command, container.livenessProbe?.exec?.command];
  // Arguments without a command are those of the image's own entry point.
  const own = container.command && [...container.command, ...(container.args ?? [])];
  const starts = [own, ...probes].flatMap((one) => (one === undefined || one.length === 0 ? [] : [one]));
  const inline: string[] = [];
  const direct: Command[] = [];
  for (const [program = "", ...args] of starts) {
    direct.push({ name: basename(program), args });
    if (isShell(program) && args[0] === "-c") inline.push(args[1] ?? "");
  }
  // A script that reads `${TOOL:-barman}.sh` reads the one that its container's variable names.
  const resolved = (text: string) =>
    text
      .replace(/\$\{([A-Z_]+):-([a-z]+)\}\.sh/g, (_all, name: string, other: string) => {
        const value = variables.get(name);
        return `${value === undefined || value === "" ? other : value}.sh`;
      })
      .replace(/^\s*#.*$/gm, "");
  const reached = new Map<string, string>();
  const visit = (text: string) => {
    for (const [path, content] of files) {
      if (reached.has(path)) continue;
      const name = basename(path).replaceAll(".", "\\.");
      if (!new RegExp(`(^|[\\s/"'$}])${name}(?=[\\s"';]|$)`, "m").test(text)) continue;
      reached.set(path, content);
      visit(resolved(content));
    }
  };
  starts.forEach((start) => visit(start.join("\n")));
  const shell = [...reached].filter(([path]) => path.endsWith(".sh"));
  const python = [
    ...[...reached].flatMap(([path, text]) => (path.endsWith(".py") ? [text] : [])),
    ...starts.flatMap(pythonIn),
  ];
  const read_ = [...shell, ...inline.map((text) => ["-c", text] as const)].map(([path, text]) =>
    read(text, `${where}: ${path}`),
  );
  const imports = python.flatMap((text) =>
    [...text.matchAll(/^ *(?:import ([a-z0-9_]+)|from ([a-z0-9_]+)[a-z0-9_.]* import )/gm)].map(
      ([, whole, part]) => whole ?? part ?? "",
    ),
  );
  return { programs: [...direct, ...programs(read_)], imports, scripts: [...reached.keys()] };
}

/** Every container of planned values. */
export function runsOf(planned: unknown): Run[] {
  const objects = objectsIn(planned);
  const configMaps = new Map(
    objects.flatMap(({ kind, metadata, data }) =>
      kind === "ConfigMap" ? [[metadata?.name ?? "", data ?? {}] as const] : [],
    ),
  );
  return objects.flatMap((object) =>
    podsIn(object).flatMap((pod) =>
      [...(pod.initContainers ?? []), ...(pod.containers ?? [])].map((container) => {
        const files = new Map<string, string>();
        for (const { name, mountPath } of container.volumeMounts ?? []) {
          const volume = pod.volumes?.find((one) => one.name === name);
          const maps = [
            volume?.configMap?.name,
            ...(volume?.projected?.sources.map(({ configMap }) => configMap?.name) ?? []),
          ];
          for (const map of maps)
            for (const [file, text] of Object.entries(configMaps.get(map ?? "") ?? {}))
              files.set(`${mountPath}/${file}`, text);
        }
        const where = `${object.kind}/${object.metadata?.name}: ${container.name}`;
        return { where, image: container.image, ...runOf(where, container, files) };
      }),
    ),
  );
}
