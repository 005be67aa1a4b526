import { PolicyPack } from "@pulumi/policy";
import { policies } from "./policies";

// Making the pack starts its server: nothing else may import this file.
new PolicyPack("postgres-platform", { policies, enforcementLevel: "mandatory" });
