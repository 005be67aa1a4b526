import * as pulumi from "@pulumi/pulumi";
import { makeBucket } from "../../../components/buckets/index";
import { storeOf } from "../../../plan/backup/store";
import { checked, smallest } from "../../support/settings";

/** Buckets of each kind and nothing else, for the FAKE cloud. */

const credentials = { accessKeyId: "fake-identifier", secretAccessKey: "fake-secret-key" };
const account = "0123456789abcdef0123456789abcdef";
const stacks = [
  [
    { name: "live", kind: "r2", bucket: "fake-r2", account },
    { name: "copy", kind: "aws", bucket: "fake-copies", region: "cn-north-1", lockDays: 3 },
  ],
  [
    { name: "other", kind: "aws", bucket: "fake-aws", region: "eu-west-1" },
    { name: "elsewhere", kind: "b2", bucket: "fake-b2", region: "eu-central-003", credentials },
  ],
];

for (const targets of stacks) {
  const settings = checked({ ...smallest(), backup: { targets } });
  for (const target of settings.backup?.targets ?? []) {
    const store = storeOf(settings, target);
    const given = target.credentials && {
      accessKeyId: pulumi.output(target.credentials.accessKeyId),
      secretAccessKey: pulumi.secret(target.credentials.secretAccessKey),
    };
    const recoveryWindowDays = settings.backup?.recoveryWindowDays ?? 0;
    makeBucket(
      target.name,
      { target, store, ...(given && { given }), recoveryWindowDays, protect: false },
      {},
    );
  }
}
