import assert from "node:assert/strict";
import { join } from "node:path";
import { ensureUnified, kernel } from "../../local/cluster/cgroups";
import { UnifiedCgroups } from "../support/unifiedCgroups";

const root = "/sys/fs/cgroup";
const debian13 = ["cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma", "misc", "dmem"];
/** What Kubernetes 1.34's kubelet asks of its own group, as far as the root has it. */
const kubelet = ["cpu", "cpuset", "memory", "hugetlb", "pids"];

/** The kernel's calls have many signatures; the program uses one of each. */
const callsOf = (groups: UnifiedCgroups) => groups.calls as unknown as typeof kernel;

const node = async (groups: UnifiedCgroups) => {
  const system = await ensureUnified(root, ["pgplatform", "n1", "system"], callsOf(groups));
  await groups.calls.writeFile(join(system, "cgroup.procs"), "4711");
  return join(root, "pgplatform/n1");
};

/** What the kubelet misses in its group and in one that it makes there. */
async function missing(groups: UnifiedCgroups, group: string): Promise<string[]> {
  const needed = kubelet.filter((name) => groups.controllers(root).includes(name));
  await groups.calls.mkdir(join(group, "kubepods"));
  const lacking = (path: string) => needed.filter((name) => !groups.controllers(path).includes(name));
  return [...lacking(group), ...lacking(join(group, "kubepods"))];
}

describe("control groups of version 2 (a stand-in for the kernel, by its documented rules)", () => {
  it("give a node's group all that the kubelet asks for, with processes in the true root", async () => {
    const groups = new UnifiedCgroups(root, debian13, true, ["1", "2"]);
    assert.deepEqual(await missing(groups, await node(groups)), []);
    await ensureUnified(root, ["pgplatform", "control-plane"], callsOf(groups));
    assert.deepEqual(await missing(groups, await node(groups)), []);
  });

  it("do without what the kernel lacks", async () => {
    const lean = new UnifiedCgroups(root, ["cpuset", "cpu", "memory", "pids"], true, []);
    assert.deepEqual(await missing(lean, await node(lean)), []);
  });

  it("say the way out where the root is a container's, with processes in it", async () => {
    const groups = new UnifiedCgroups(root, debian13, false, ["1", "77"]);
    await assert.rejects(node(groups), {
      name: "UserError",
      message:
        "The built-in cluster needs control groups, and /sys/fs/cgroup holds processes beside its groups, as in a container. " +
        "Fix: run `mkdir /sys/fs/cgroup/init && xargs -rn1 < /sys/fs/cgroup/cgroup.procs > /sys/fs/cgroup/init/cgroup.procs`, then run the command again.",
    });
    await groups.moveProcesses(root, "init");
    assert.deepEqual(await missing(groups, await node(groups)), []);
  });

  it("refuse in the stand-in what the kernel refuses", async () => {
    const groups = new UnifiedCgroups(root, debian13, true, []);
    const write = (file: string, text: string) => groups.calls.writeFile(join(root, file), text);
    await groups.calls.mkdir(join(root, "a"));
    await assert.rejects(write("a/cgroup.subtree_control", "+memory"), { code: "ENOENT" });
    await write("cgroup.subtree_control", "+memory +cpu");
    await write("a/cgroup.procs", "1");
    await assert.rejects(write("a/cgroup.subtree_control", "+memory"), { code: "EBUSY" });
    await write("a/cgroup.subtree_control", "+cpu");
    await groups.calls.mkdir(join(root, "b"));
    await write("b/cgroup.subtree_control", "+memory");
    await assert.rejects(write("b/cgroup.procs", "1"), { code: "EBUSY" });
  });
});
