import * as pulumi from "@pulumi/pulumi";

/** A resource as the program registered it. */
export interface Registered {
  readonly name: string;
  readonly type: string;
  readonly parent?: string;
  readonly custom: boolean;
  readonly dependsOn: readonly string[];
  readonly protect?: boolean;
  readonly retainOnDelete?: boolean;
  readonly deletedWith?: string;
  readonly ignoreChanges?: readonly string[];
  readonly timeouts?: pulumi.CustomTimeouts;
  readonly deleteBeforeReplace?: boolean;
  /** Outputs that are secret though no input is, such as a generated key. */
  readonly secretOutputs?: readonly string[];
  /** Names that it had before. */
  readonly aliases?: readonly unknown[];
  /** Name of the provider that was given to it or to its parents. @default - the stack's own */
  provider?: string;
  /** Inputs; secrets are wrapped as `{ secret: value }`. Components have none. */
  inputs: Record<string, unknown>;
}

export interface Graph {
  readonly resources: readonly Registered[];
  readonly outputs: Record<string, unknown>;
  /** Ids of resources that were read instead of made. */
  readonly reads: Readonly<Record<string, string>>;
}

const SECRET = "4dabf18193072939515e22adb298388d";

/** Pulumi marks secrets on the wire; the mark becomes `{ secret: value }`. */
function marked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(marked);
  if (typeof value !== "object" || value === null) return value;
  if (SECRET in value) return { secret: marked((value as { value?: unknown }).value) };
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, marked(inner)]));
}

const settled = <T>(output: pulumi.Output<T>): Promise<T> =>
  new Promise((resolve) => {
    output.apply((value) => resolve(value));
  });

const nameOf = (resource: unknown): string => (resource as { __name?: string }).__name ?? "";

/** The password that mocks give the RandomPassword of this name. */
export const mockPassword = (name: string): string => `password-of-${name}`;

/** The hexadecimal text that mocks give the RandomId of this name. */
export const mockId = (name: string): string => `id-of-${name}`;

/** What the mocked operator's CA looks like. */
export const mockCa = "-----BEGIN CERTIFICATE-----\nmocked\n-----END CERTIFICATE-----\n";

/** What mocked providers add to a resource's inputs. */
function outputsOf(type: string, name: string): Record<string, unknown> {
  if (type === "random:index/randomPassword:RandomPassword") return { result: mockPassword(name) };
  if (type === "random:index/randomId:RandomId") return { hex: mockId(name) };
  if (type === "cloudflare:index/accountToken:AccountToken") return { value: mockPassword(name) };
  if (type === "aws:iam/user:User") return { name };
  if (type === "aws:iam/accessKey:AccessKey") return { secret: mockPassword(name) };
  if (type !== "pulumi-nodejs:dynamic:Resource") return {};
  return {
    ca: `CA-of-${name}`,
    certificate: `certificate-of-${name}`,
    privateKey: `key-of-${name}`,
  };
}

const usualFrames = Error.stackTraceLimit;

/** Pulumi takes the stack for each of its promises, and mocha lets stacks be endless: that was two thirds of a graph's time. */
async function withShortStacks<T>(work: () => Promise<T>): Promise<T> {
  Error.stackTraceLimit = 1;
  try {
    return await work();
  } finally {
    Error.stackTraceLimit = usualFrames;
  }
}

/**
 * Runs a program under mocks. Inputs come from the mocks; parents and options, which mocks don't see, from a
 * transformation that `build` must put on everything it makes.
 */
export const graphOf = (
  build: (options: pulumi.ComponentResourceOptions) => Record<string, unknown> | undefined,
): Promise<Graph> => withShortStacks(() => mockedGraph(build));

async function mockedGraph(
  build: (options: pulumi.ComponentResourceOptions) => Record<string, unknown> | undefined,
): Promise<Graph> {
  const inputs = new Map<string, Record<string, unknown>>();
  const providers = new Map<string, string>();
  const reads: Record<string, string> = {};
  await pulumi.runtime.setMocks(
    {
      newResource: ({ name, type, inputs: sent, id, custom, provider }) => {
        // `<urn>::<name>::<id>`
        if (provider) providers.set(`${type} ${name}`, provider.split("::").at(-2) ?? provider);
        // The code of a resource of our own is no input of its user.
        const given = Object.fromEntries(
          Object.entries(sent as object).filter(([key]) => key !== "__provider"),
        );
        inputs.set(`${type} ${name}`, marked(given) as Record<string, unknown>);
        if (id !== undefined && id !== "") {
          reads[name] = id;
          return {
            id,
            state: { ...given, data: { "ca.crt": Buffer.from(mockCa).toString("base64") } },
          };
        }
        const made = outputsOf(type, name);
        return { id: custom === false ? undefined : `id-of-${name}`, state: { ...given, ...made } };
      },
      call: ({ token }) => {
        throw new Error(`the program called ${token}, which no test expects`);
      },
    },
    "postgres-platform",
    "test",
    false,
  );

  const seen: { resource: pulumi.Resource; registered: Registered }[] = [];
  const record: pulumi.ResourceTransformation = ({ resource, type, name, opts }) => {
    const options = opts as pulumi.CustomResourceOptions;
    // The SDK adds the types that a kind of Kubernetes had; ours are names and parents.
    const own = ((options.aliases ?? []) as unknown[]).filter(
      (alias) => typeof alias !== "object" || alias === null || !("type" in alias),
    );
    const dependsOn = ([] as unknown[]).concat((options.dependsOn ?? []) as unknown[]);
    seen.push({
      resource,
      registered: {
        name,
        type,
        ...(options.parent && { parent: nameOf(options.parent) }),
        custom: resource instanceof pulumi.CustomResource,
        dependsOn: dependsOn.map(nameOf).sort(),
        ...(options.protect !== undefined && { protect: options.protect }),
        ...(options.retainOnDelete !== undefined && { retainOnDelete: options.retainOnDelete }),
        ...(options.deletedWith && { deletedWith: nameOf(options.deletedWith) }),
        ...(options.ignoreChanges && { ignoreChanges: options.ignoreChanges }),
        ...(options.customTimeouts && { timeouts: options.customTimeouts }),
        ...(options.deleteBeforeReplace !== undefined && {
          deleteBeforeReplace: options.deleteBeforeReplace,
        }),
        ...(options.additionalSecretOutputs && {
          secretOutputs: options.additionalSecretOutputs.map(String),
        }),
        ...(own.length > 0 && { aliases: own }),
        inputs: {},
      },
    });
    return undefined;
  };

  const outputs = await settled(pulumi.output(build({ transformations: [record] }) ?? {}));
  // Mocks take two of one name, Pulumi's engine refuses the second.
  const urns = await Promise.all(seen.map(({ resource }) => settled(resource.urn)));
  const twice = urns.filter((urn, index) => urns.indexOf(urn) !== index);
  if (twice.length > 0) throw new Error(`registered twice: ${twice.join(", ")}`);
  for (const { registered } of seen)
    if (registered.custom) {
      const provider = providers.get(`${registered.type} ${registered.name}`);
      if (provider !== undefined) registered.provider = provider;
      registered.inputs = inputs.get(`${registered.type} ${registered.name}`) ?? {};
    }
  return {
    resources: seen.map(({ registered }) => registered),
    outputs: marked(outputs) as Record<string, unknown>,
    reads,
  };
}
