import { type Call, stackOf, text } from "./spec";

/** The platform that a call is about. */
export const platformOf = async (call: Call) => {
  const { findPlatform } = await import("../find");
  return findPlatform({
    stack: stackOf(call),
    namespace: text(call, "namespace"),
    cluster: text(call, "cluster"),
  });
};
