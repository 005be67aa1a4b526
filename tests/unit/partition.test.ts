import assert from "node:assert/strict";
import { cutRules, describeCut, parseCuts, type Cut } from "../../local/cluster/partition";
import { isStopped } from "../../local/cluster/stall";

/** Texts alone: that packets really stop is shown in tests/e2e/cluster. */
describe("cut cables of the built-in cluster", () => {
  const rulesOf = (...cuts: Cut[]) =>
    cutRules(cuts)
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line.includes(" drop "));

  it("drop what a node sends and what it is sent", () => {
    assert.deepEqual(rulesOf({ from: "n2" }), [
      'iifname "n2" drop comment "n2"',
      'oifname "n2" drop comment "n2"',
    ]);
  });

  it("drop both directions between a pod and the API server, and nothing else of either", () => {
    assert.deepEqual(rulesOf({ from: "198.18.1.4", to: "api" }), [
      'ip saddr 198.18.1.4 oifname "host" drop comment "198.18.1.4 api"',
      'iifname "host" ip daddr 198.18.1.4 drop comment "198.18.1.4 api"',
    ]);
  });

  it("drop both directions between two pods", () => {
    assert.deepEqual(rulesOf({ from: "198.18.1.4", to: "198.18.2.7" }), [
      'ip saddr 198.18.1.4 ip daddr 198.18.2.7 drop comment "198.18.1.4 198.18.2.7"',
      'ip saddr 198.18.2.7 ip daddr 198.18.1.4 drop comment "198.18.1.4 198.18.2.7"',
    ]);
  });

  it("never reject, whose answer would tell the other end", () => {
    assert.doesNotMatch(cutRules([{ from: "n1" }, { from: "n2", to: "api" }]), /reject/);
  });

  it("are set in one step, in a table of their own", () => {
    const text = cutRules([{ from: "n1", to: "n3" }]);
    assert.match(text, /^add table bridge pgplatform_cuts\ndelete table bridge pgplatform_cuts\ntable /);
    assert.equal(text.match(/table bridge pgplatform_cuts/g)?.length, 3);
  });

  it("leave no table behind when there are none", () => {
    assert.equal(cutRules([]), "add table bridge pgplatform_cuts\ndelete table bridge pgplatform_cuts\n");
  });

  it("are read back from the packet filter's own list", () => {
    const cuts: Cut[] = [{ from: "n1" }, { from: "198.18.1.4", to: "api" }];
    assert.deepEqual(parseCuts(cutRules(cuts)), cuts);
    assert.deepEqual(parseCuts(""), []);
  });

  it("are told in words", () => {
    assert.equal(describeCut({ from: "n1" }), "n1 is cut from everything");
    assert.equal(describeCut({ from: "n1", to: "api" }), "n1 is cut from api");
  });
});

describe("a stalled API server", () => {
  it("is one whose process is stopped, whatever its name looks like", () => {
    assert.equal(isStopped("42 (kube) T (x) T 1 42"), true);
    assert.equal(isStopped("42 (kube-apiserver) T 1 42"), true);
    assert.equal(isStopped("42 (T) S 1 42"), false);
    assert.equal(isStopped(""), false);
  });
});
