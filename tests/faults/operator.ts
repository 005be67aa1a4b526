import { setTimeout as delay } from "node:timers/promises";
import { type Fault } from "./fault";

/** Faults in which the operator is away when it is needed. */

const ABSENT_SECONDS = 10;

const absentDuringKill: Fault = {
  id: "14",
  name: "operator absent while the postmaster is killed",
  needs: ["operator"],
  bounds: {},
  prepare: (scene) => scene.stopOperator(),
  inject: ({ env, primary }) => env.cluster.killPostmaster(primary.pod),
  // Without an operator no standby is promoted: the instance must come back by itself.
  effect: (scene) => scene.restarted(),
  heal: (scene) => scene.startOperator(),
};

const absentDuringDeletion: Fault = {
  id: "14d",
  name: `operator absent for ${ABSENT_SECONDS} s while the primary's pod is deleted`,
  needs: ["operator"],
  bounds: { resumed: 30 },
  prepare: (scene) => scene.stopOperator(),
  inject: (scene) => scene.delete(scene.primary.pod),
  effect: (scene) => scene.gone(scene.primary),
  hold: () => delay(ABSENT_SECONDS * 1000),
  heal: (scene) => scene.startOperator(),
};

const killedTogether: Fault = {
  id: "15",
  name: "operator and primary's pod killed together",
  needs: ["operator"],
  bounds: {},
  inject: async (scene) => {
    await Promise.all([scene.killOperator(), scene.delete(scene.primary.pod)]);
  },
  // The next operator may promote another instance, or recreate the pod before it does.
  effect: (scene) => scene.restarted(),
};

export const operatorFaults: readonly Fault[] = [absentDuringKill, absentDuringDeletion, killedTogether];
