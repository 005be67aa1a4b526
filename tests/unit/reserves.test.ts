import assert from "node:assert/strict";
import { bytesInKubernetes, bytesOf, milliCoresOf, postgresMemory } from "../../settings/quantity";
import { memoryOf } from "../../settings/sums/memory";
import { slotReserve, walReserves } from "../../settings/sums/wal";
import { sentence } from "../../settings/problem";
import { changed, checked, smallest } from "../support/settings";

const MiB = 2 ** 20;
const GiB = 2 ** 30;

describe("what is set aside", () => {
  it("of the log's volume is a quarter and an eighth, up to a gibibyte and a half", () => {
    const reserves = (volume: number) => Object.values(walReserves(volume)).map((bytes) => bytes / MiB);
    assert.deepEqual(reserves(GiB), [256, 128]);
    assert.deepEqual(reserves(4 * GiB), [1024, 512]);
    assert.deepEqual(reserves(40 * GiB), [1024, 512]);
  });

  it("for slots is what keeps the volume from filling, with max_wal_size beside them; less where the data are on it", () => {
    const of = (storage: object, parameters = {}) =>
      slotReserve(
        checked(changed(changed(smallest(), "cluster.storage", storage), "cluster.parameters", parameters))
          .cluster,
      ) / GiB;
    assert.equal(of({ size: "40Gi" }), 10);
    assert.equal(of({ size: "40Gi", walSize: "10Gi" }), 7);
    assert.equal(of({ size: "40Gi", walSize: "10Gi" }, { max_wal_size: "3GB" }), 5);
    assert.equal(of({ size: "40Gi", walSize: "10Gi" }, { max_wal_size: "7GB" }), 2.5);
  });

  it("of the memory follows the parameters that are given", () => {
    const of = (parameters: object) =>
      memoryOf(
        checked(
          changed(
            changed(smallest(), "cluster.resources", { limits: { memory: "4Gi" } }),
            "cluster.parameters",
            parameters,
          ),
        ).cluster,
      );
    const usual = of({});
    assert.equal(usual.effectiveCacheSize, 3 * GiB);
    assert.equal(of({ effective_cache_size: "1GB" }).effectiveCacheSize, GiB);
    assert.equal(usual.maintenance, 256 * MiB);
    assert.equal(usual.autovacuum, (256 * MiB) / 3);
    assert.equal(of({ autovacuum_work_mem: "10MB" }).autovacuum, 10 * MiB);
    // As PostgreSQL reads it: what maintenance has.
    assert.equal(of({ autovacuum_work_mem: -1 }).autovacuum, 256 * MiB);
  });
});

it("a sentence shows 80 characters of a value, or 77 and that there is more", () => {
  const says = (value: string) => sentence({ path: "p", value, allowed: "a", fix: "f" });
  assert.equal(says("x".repeat(78)), `p: "${"x".repeat(78)}" is not allowed. Allowed: a. Fix: f.`);
  assert.equal(says("x".repeat(79)), `p: "${"x".repeat(76)}... is not allowed. Allowed: a. Fix: f.`);
});

it("quantities of others have any form that Kubernetes takes, settings the plain ones alone", () => {
  for (const [text, bytes] of [
    ["1e9", 1e9],
    ["1E+3", 1000],
    ["1E", 1e18],
    ["1Pi", 2 ** 50],
    [".5Gi", GiB / 2],
    ["2.Gi", 2 * GiB],
    ["+1", 1],
    ["1073741824000m", GiB],
  ] as const) {
    assert.equal(bytesInKubernetes(text), bytes, text);
    assert.equal(bytesOf(text), undefined, text);
  }
  assert.equal(bytesInKubernetes("1.5Gi"), 1.5 * GiB);
  for (const text of ["1K", "1Kib", "1e", ".", "1 Gi", " 1", "x1", ""])
    assert.equal(bytesInKubernetes(text), undefined, text);
});

it("quantities have any number of digits behind the point, and nothing behind their unit", () => {
  assert.equal(bytesOf("1.25Gi"), 1.25 * GiB);
  assert.equal(bytesOf("0.125k"), 125);
  assert.equal(milliCoresOf("0.125"), 125);
  for (const text of ["1Gib", "x1Gi", "1.Gi", "1.xGi", "-1", ""])
    assert.equal(bytesOf(text), undefined, text);
  for (const text of ["1mm", "x1", "1.", ""]) assert.equal(milliCoresOf(text), undefined, text);
  assert.equal(postgresMemory(10 * MiB), "10MB");
  assert.equal(postgresMemory(10 * MiB - 1), "10239kB");
  assert.equal(postgresMemory(1), "1kB");
});
