import * as server from "@pulumi/policy/server";
import * as analyzer from "@pulumi/pulumi/proto/analyzer_pb";
import * as struct from "google-protobuf/google/protobuf/struct_pb";
import { levelsOf } from "../../policy/levels";
import { deserializeOnce } from "../../policy/once";
import { policiesOf } from "../../policy/policies";
import { goodStack } from "./unit/kit";

/**
 * `npx tsx tests/policy/bench.ts`: what the pack costs for stacks of 1,000 to 10,000 resources, through the SDK's own server functions. The engine
 * and the connection to it are left out.
 */

type Rpc = (
  call: { request: object },
  answer: (error: unknown, response?: { getDiagnosticsList(): unknown[] }) => void,
) => Promise<void>;
type Make = (pack: string, version: string, level: string, policies: unknown) => Rpc;
const { makeAnalyzeRpcFun, makeAnalyzeStackRpcFun } = server as unknown as Record<string, Make>;

const options = () => {
  const made = new analyzer.AnalyzerResourceOptions();
  made.setCustomtimeouts(new analyzer.AnalyzerResourceOptions.CustomTimeouts());
  return made;
};

interface Resource {
  setType(type: string): void;
  setName(name: string): void;
  setUrn(urn: string): void;
  setProperties(properties: object): void;
  setOptions(options: object): void;
}

/** A stack of good programs, each in a namespace of its own. */
function resources(count: number, make: () => Resource): Resource[] {
  const list: Resource[] = [];
  for (let program = 0; list.length < count; program++)
    for (const object of goodStack()) {
      if (list.length >= count) break;
      const one = make();
      const name = `${object.metadata.name}-${program}`;
      one.setType(`kubernetes:${object.apiVersion}:${object.kind}`);
      one.setName(name);
      one.setUrn(`urn:${object.kind}:${name}`);
      const metadata = {
        ...object.metadata,
        ...(object.kind === "Namespace"
          ? { name: `${object.metadata.name}-${program}` }
          : { namespace: `${object.metadata.namespace}-${program}` }),
      };
      one.setProperties(struct.Struct.fromJavaScript({ ...object, metadata }));
      one.setOptions(options());
      list.push(one);
    }
  return list;
}

function called(rpc: Rpc, request: object): Promise<number> {
  return new Promise((resolve, reject) => {
    void rpc({ request }, (error, response) => {
      if (error || !response) reject(error instanceof Error ? error : new Error(String(error)));
      else resolve(response.getDiagnosticsList().length);
    });
  });
}

/** Milliseconds of this process's own work; others' on the machine don't count. */
function cpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function main(): Promise<void> {
  const unpatched = process.argv.includes("--as-the-sdk");
  if (!unpatched) deserializeOnce();
  const policies = policiesOf({ config: () => ({}), today: () => "2026-01-31" });
  void levelsOf({});
  const analyze = makeAnalyzeRpcFun!("pack", "1", "mandatory", policies);
  const analyzeStack = makeAnalyzeStackRpcFun!("pack", "1", "mandatory", policies);
  const counts = process.argv
    .slice(2)
    .map(Number)
    .filter((count) => count > 0);
  for (const count of counts.length > 0 ? counts : [1000, 2000, 5000, 10_000]) {
    const each = resources(count, () => new analyzer.AnalyzeRequest() as unknown as Resource);
    const all = new analyzer.AnalyzeStackRequest();
    all.setResourcesList(
      resources(
        count,
        () => new analyzer.AnalyzerResource() as unknown as Resource,
      ) as unknown as analyzer.AnalyzerResource[],
    );
    const started = cpu();
    let said = 0;
    for (const request of each) said += await called(analyze, request);
    const between = cpu();
    said += await called(analyzeStack, all);
    const ended = cpu();
    const perThousand = ((ended - started) / count).toFixed(2);
    console.log(
      `${count} resources: ${Math.round(between - started)} ms for each, ${Math.round(ended - between)} ms for the stack: ` +
        `${perThousand} s per 1,000; ${said} messages`,
    );
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
