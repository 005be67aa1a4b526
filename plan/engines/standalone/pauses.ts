import { drainOfTheOnlyInstance, measured, nodeOfTheOnlyInstance, type Pauses, type Timed } from "../pauses";

export const pauses = (settings: Timed): Pauses => ({
  pod: measured(9, "faults 1 to 4: 8.6 s for a pod that is deleted in order"),
  node: nodeOfTheOnlyInstance,
  drain: drainOfTheOnlyInstance(settings),
  restart: measured(5, "four changes: 3.0 to 4.5 s"),
  poolers: measured(5, "fault 18: 4.6 s"),
});
