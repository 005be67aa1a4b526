import type { Found } from "../platform";
import { type Call, stackOf, text } from "./spec";

/** Works with the platform that a call is about. */
export async function withPlatformOf<T>(call: Call, work: (found: Found) => Promise<T>): Promise<T> {
  const { withPlatform } = await import("../find");
  const asked = { stack: stackOf(call), namespace: text(call, "namespace"), cluster: text(call, "cluster") };
  return withPlatform(asked, work);
}
