// Its own module object, which `import * as` would copy.
// eslint-disable-next-line @typescript-eslint/no-require-imports -- the module itself is changed
import deserialize = require("@pulumi/policy/deserialize");

type Deserialize = (struct: object, proxySecrets: boolean) => unknown;

/**
 * The SDK (1.20) makes a resource's properties anew for each policy, which takes most of the time of a large stack. No policy of this pack changes
 * them, so that once is enough; a remediation, which does, still gets its own.
 */
export function deserializeOnce(module: object = deserialize): void {
  const sdk = module as { deserializeProperties: Deserialize };
  const original = sdk.deserializeProperties;
  const made = new WeakMap<object, unknown>();
  sdk.deserializeProperties = (struct, proxySecrets) => {
    if (proxySecrets) return original(struct, proxySecrets);
    if (!made.has(struct)) made.set(struct, original(struct, false));
    return made.get(struct);
  };
}
