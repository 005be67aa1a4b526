package main

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func pod(name, node, address string, podLabels labels.Set) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "db", Name: name, Labels: podLabels},
		Spec: corev1.PodSpec{
			NodeName:   node,
			Containers: []corev1.Container{{Ports: []corev1.ContainerPort{{Name: "postgres", ContainerPort: 5432, Protocol: corev1.ProtocolTCP}}}},
		},
		Status: corev1.PodStatus{PodIP: address, Phase: corev1.PodRunning},
	}
}

func cluster(policies ...*networkingv1.NetworkPolicy) snapshot {
	return snapshot{
		node: "n1",
		pods: []*corev1.Pod{
			pod("server", "n1", "198.18.1.2", labels.Set{"app": "server"}),
			pod("client", "n2", "198.18.2.2", labels.Set{"app": "client"}),
			pod("other", "n1", "198.18.1.9", labels.Set{"app": "other"}),
		},
		namespaces: map[string]labels.Set{"db": {"team": "a"}},
		policies:   policies,
	}
}

func policy(types ...networkingv1.PolicyType) *networkingv1.NetworkPolicy {
	return &networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: "db", Name: "policy"},
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{MatchLabels: labels.Set{"app": "server"}},
			PolicyTypes: types,
		},
	}
}

func from(selector labels.Set) []networkingv1.NetworkPolicyPeer {
	return []networkingv1.NetworkPolicyPeer{{PodSelector: &metav1.LabelSelector{MatchLabels: selector}}}
}

func port(value intstr.IntOrString) []networkingv1.NetworkPolicyPort {
	return []networkingv1.NetworkPolicyPort{{Port: &value}}
}

func expect(t *testing.T, ruleset string, present []string, absent []string) {
	t.Helper()
	for _, text := range present {
		if !strings.Contains(ruleset, text) {
			t.Errorf("%q is missing in:\n%s", text, ruleset)
		}
	}
	for _, text := range absent {
		if strings.Contains(ruleset, text) {
			t.Errorf("%q should not be in:\n%s", text, ruleset)
		}
	}
}

func TestNoPolicyRestrictsNothing(t *testing.T) {
	expect(t, cluster().ruleset(), []string{"chain forward"}, []string{"drop", "vmap"})
}

func TestIngressFromSelectedPodsOnANamedPort(t *testing.T) {
	rule := policy(networkingv1.PolicyTypeIngress)
	rule.Spec.Ingress = []networkingv1.NetworkPolicyIngressRule{{From: from(labels.Set{"app": "client"}), Ports: port(intstr.FromString("postgres"))}}
	expect(t, cluster(rule).ruleset(), []string{
		"chain ingress_198_18_1_2 {\n    ip saddr { 198.18.2.2 } tcp dport 5432 return\n    counter drop\n  }",
		"ip daddr vmap { 198.18.1.2 : jump ingress_198_18_1_2 }",
	}, []string{"egress_", "198_18_1_9"})
}

func TestPeersThatSelectNoPodMeanNoOne(t *testing.T) {
	rule := policy(networkingv1.PolicyTypeIngress)
	rule.Spec.Ingress = []networkingv1.NetworkPolicyIngressRule{{From: from(labels.Set{"app": "nobody"})}}
	expect(t, cluster(rule).ruleset(), []string{"chain ingress_198_18_1_2 {\n    counter drop\n  }"}, []string{"return"})
}

func TestARuleWithoutPeersMeansAnyone(t *testing.T) {
	rule := policy(networkingv1.PolicyTypeIngress)
	rule.Spec.Ingress = []networkingv1.NetworkPolicyIngressRule{{}}
	expect(t, cluster(rule).ruleset(), []string{"chain ingress_198_18_1_2 {\n    return\n    counter drop"}, nil)
}

func TestEgressToABlockWithExceptions(t *testing.T) {
	rule := policy(networkingv1.PolicyTypeEgress)
	rule.Spec.Egress = []networkingv1.NetworkPolicyEgressRule{{
		To: []networkingv1.NetworkPolicyPeer{
			{IPBlock: &networkingv1.IPBlock{CIDR: "198.18.0.0/16", Except: []string{"198.18.2.0/24"}}},
			{IPBlock: &networkingv1.IPBlock{CIDR: "2001:db8::/32"}},
		},
		Ports: port(intstr.FromInt32(443)),
	}}
	expect(t, cluster(rule).ruleset(), []string{
		"ip daddr 198.18.0.0/16 ip daddr != { 198.18.2.0/24 } tcp dport 443 return",
		"ip saddr vmap { 198.18.1.2 : jump egress_198_18_1_2 }",
	}, []string{"ingress_", "2001:"})
}

func TestNamespaceSelectors(t *testing.T) {
	for team, allowed := range map[string]bool{"a": true, "b": false} {
		rule := policy(networkingv1.PolicyTypeIngress)
		rule.Spec.Ingress = []networkingv1.NetworkPolicyIngressRule{{From: []networkingv1.NetworkPolicyPeer{
			{NamespaceSelector: &metav1.LabelSelector{MatchLabels: labels.Set{"team": team}}},
		}}}
		if strings.Contains(cluster(rule).ruleset(), "return") != allowed {
			t.Errorf("team %s: allowed should be %v", team, allowed)
		}
	}
}

func TestEndedAndHostNetworkPodsOwnNoAddress(t *testing.T) {
	world := cluster(policy(networkingv1.PolicyTypeIngress))
	world.pods[0].Status.Phase = corev1.PodSucceeded
	expect(t, world.ruleset(), nil, []string{"drop"})
	world.pods[0].Status.Phase = corev1.PodRunning
	world.pods[0].Spec.HostNetwork = true
	expect(t, world.ruleset(), nil, []string{"drop"})
}

func TestTheSameSnapshotGivesTheSameText(t *testing.T) {
	rule := policy(networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress)
	first := cluster(rule)
	second := cluster(rule)
	second.pods[0], second.pods[2] = second.pods[2], second.pods[0]
	if first.ruleset() != second.ruleset() {
		t.Error("the order of the pods shows in the ruleset")
	}
}
