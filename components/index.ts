/** What other programs import from the package. */
export type { PoolerArgs, SettingsArgs } from "./args";
export { Operator, type OperatorArgs } from "./operator";
export {
  type Address,
  type CheckedArgs,
  type Connection,
  PostgresPlatform,
  type PostgresPlatformArgs,
} from "./platform";
