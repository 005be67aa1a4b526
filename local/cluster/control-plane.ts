import { mkdir } from "node:fs/promises";
import { ensureCgroup } from "./cgroups";
import { pkiFile } from "./pki";
import { end, start } from "./processes";
import { paths, settings } from "./settings";

/** A process of the control plane; they run on the host, beside the nodes. */
interface Component {
  name: string;
  args: readonly string[];
}

const flags = (values: Record<string, string | number | boolean>): string[] =>
  Object.entries(values).map(([name, value]) => `--${name}=${value}`);

/**
 * Both listeners want a client certificate. Writes aren't synced to the disk: the data survives every process, not a
 * crash of the machine, which suits a cluster that is recreated within a minute.
 */
export const etcd = (): Component => ({
  name: "etcd",
  args: flags({
    name: settings.name,
    "data-dir": paths.etcd,
    "listen-client-urls": settings.etcdClientUrl,
    "advertise-client-urls": settings.etcdClientUrl,
    "listen-peer-urls": settings.etcdPeerUrl,
    "initial-advertise-peer-urls": settings.etcdPeerUrl,
    "initial-cluster": `${settings.name}=${settings.etcdPeerUrl}`,
    "cert-file": pkiFile("etcd.crt"),
    "key-file": pkiFile("etcd.key"),
    "client-cert-auth": true,
    "trusted-ca-file": pkiFile("etcd-ca.crt"),
    "peer-cert-file": pkiFile("etcd.crt"),
    "peer-key-file": pkiFile("etcd.key"),
    "peer-client-cert-auth": true,
    "peer-trusted-ca-file": pkiFile("etcd-ca.crt"),
    "unsafe-no-fsync": true,
    "auto-compaction-retention": 1,
    "log-level": "warn",
  }),
});

export const apiServer = (): Component => ({
  name: "kube-apiserver",
  args: flags({
    "advertise-address": settings.apiAddress,
    "bind-address": settings.apiAddress,
    "secure-port": settings.apiPort,
    "etcd-servers": settings.etcdClientUrl,
    "etcd-cafile": pkiFile("etcd-ca.crt"),
    "etcd-certfile": pkiFile("etcd.crt"),
    "etcd-keyfile": pkiFile("etcd.key"),
    "service-cluster-ip-range": settings.serviceRange,
    "allow-privileged": true,
    "authorization-mode": "Node,RBAC",
    "anonymous-auth": false,
    "enable-admission-plugins": "NodeRestriction",
    "client-ca-file": pkiFile("ca.crt"),
    "tls-cert-file": pkiFile("apiserver.crt"),
    "tls-private-key-file": pkiFile("apiserver.key"),
    "kubelet-client-certificate": pkiFile("apiserver-kubelet-client.crt"),
    "kubelet-client-key": pkiFile("apiserver-kubelet-client.key"),
    "kubelet-certificate-authority": pkiFile("ca.crt"),
    "kubelet-preferred-address-types": "InternalIP",
    "requestheader-client-ca-file": pkiFile("front-proxy-ca.crt"),
    "requestheader-allowed-names": "front-proxy-client",
    "requestheader-extra-headers-prefix": "X-Remote-Extra-",
    "requestheader-group-headers": "X-Remote-Group",
    "requestheader-username-headers": "X-Remote-User",
    "proxy-client-cert-file": pkiFile("front-proxy-client.crt"),
    "proxy-client-key-file": pkiFile("front-proxy-client.key"),
    "enable-aggregator-routing": true,
    "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
    "service-account-key-file": pkiFile("service-accounts.pub"),
    "service-account-signing-key-file": pkiFile("service-accounts.key"),
    // Pods leave a lost node after half a minute instead of five.
    "default-not-ready-toleration-seconds": 30,
    "default-unreachable-toleration-seconds": 30,
    "event-ttl": "1h",
    profiling: false,
  }),
});

const managers = (): Component[] => [
  {
    name: "kube-controller-manager",
    args: flags({
      kubeconfig: pkiFile("controller-manager.kubeconfig"),
      "secure-port": 0,
      "leader-elect": false,
      "use-service-account-credentials": true,
      "service-account-private-key-file": pkiFile("service-accounts.key"),
      "root-ca-file": pkiFile("ca.crt"),
      "cluster-signing-cert-file": pkiFile("ca.crt"),
      "cluster-signing-key-file": pkiFile("ca.key"),
      // The container network's own configuration names each node's range.
      "allocate-node-cidrs": false,
      // A lost node is noticed after 20 s instead of 50.
      "node-monitor-period": "2s",
      "node-monitor-grace-period": "20s",
    }),
  },
  {
    name: "kube-scheduler",
    args: flags({
      kubeconfig: pkiFile("scheduler.kubeconfig"),
      "secure-port": 0,
      "leader-elect": false,
    }),
  },
];

async function startComponents(program: string, components: readonly Component[]): Promise<void> {
  const cgroup = await ensureCgroup("control-plane");
  for (const { name, args } of components) await start(name, [program, name, ...args], cgroup);
}

/** Starts etcd and the API server, as far as they don't run. */
export async function startApi(program: string): Promise<void> {
  await mkdir(paths.etcd, { recursive: true, mode: 0o700 });
  await startComponents(program, [etcd(), apiServer()]);
}

/** Starts what works against the API server, which must be ready: they end when they can't reach it. */
export async function startManagers(program: string): Promise<void> {
  await startComponents(program, managers());
}

/** Ends the API server alone. */
export const stopApi = (): Promise<void> => end("kube-apiserver", "SIGTERM", 5000);

/** Ends the control plane, etcd last. */
export async function stopControlPlane(): Promise<void> {
  await Promise.all(managers().map(({ name }) => end(name, "SIGTERM", 5000)));
  await stopApi();
  await end("etcd", "SIGTERM", 10_000);
}
