import { durabilityAnnotation } from "../../../../plan/names";
import { isReady } from "../../../../operations/kubectl";
import { type EngineKit } from "./kit";

/** One server in a StatefulSet: it always leads. */
export const standalone: EngineKit = {
  versions: {},
  async view(cluster) {
    const [pod] = await cluster.instances();
    const name = pod?.metadata.name;
    const illness = pod === undefined ? "there is no pod" : isReady(pod) ? undefined : `${name} is not ready`;
    return { primary: name, successor: name, term: 0, illness };
  },
  watches: (name) => ({
    pod: {
      what: ["pods", "-l", `app.kubernetes.io/name=postgresql,app.kubernetes.io/instance=${name}`],
      print: "{.type} {.object.metadata.name} {.object.metadata.deletionTimestamp}",
    },
  }),
  profileNotes: [],
  drift: {
    // Every other field that one can change restarts the server: this one claims what it doesn't hold.
    patch: { metadata: { annotations: { [durabilityAnnotation]: "zero-loss" } } },
    path: `{.metadata.annotations.${durabilityAnnotation.replaceAll(".", "\\.")}}`,
  },
};
