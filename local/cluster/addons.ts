import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pins } from "../../releases/pins";
import { inNode } from "./node-config";
import { settings } from "./settings";

/** Deployments of `addons.yaml` that must be there before the cluster counts as up. */
export const addons = [
  { namespace: "kube-system", label: "k8s-app=kube-dns", replicas: 2 },
  { namespace: "local-path-storage", label: "app=local-path-provisioner", replicas: 1 },
] as const;

/** Fills in `{{name}}`; an unknown name is an error. */
export function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`addons.yaml asks for {{${name}}}, which has no value.`);
    return value;
  });
}

/** The manifests that the cluster starts with. */
export async function addonManifests(): Promise<string> {
  const template = await readFile(join(__dirname, "addons.yaml"), "utf8");
  return fill(template.replace(/^#.*\n/gm, ""), {
    ...pins.images,
    dnsAddress: settings.dnsAddress,
    volumes: inNode.volumes,
  });
}
