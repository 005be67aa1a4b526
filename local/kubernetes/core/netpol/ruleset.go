package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// table is the one nftables table that this program owns.
const table = "pgplatform_netpol"

// snapshot is what the rules of a node follow from.
type snapshot struct {
	node       string
	pods       []*corev1.Pod
	namespaces map[string]labels.Set
	policies   []*networkingv1.NetworkPolicy
}

// ruleset renders the whole table for the snapshot's node. It replaces the table's former content in one transaction.
//
// Forwarded packets only: what a node sends to its own pods (the kubelet's probes) is never filtered, as the API says.
// A packet passes its sender's egress chain first, then its receiver's ingress chain; `return` means allowed.
func (s snapshot) ruleset() string {
	running := s.runningPods()
	var chains strings.Builder
	var ingress, egress []string
	for _, pod := range running {
		if pod.Spec.NodeName != s.node {
			continue
		}
		address := pod.Status.PodIP
		suffix := strings.ReplaceAll(address, ".", "_")
		if rules, restricted := s.rules(pod, networkingv1.PolicyTypeIngress, running); restricted {
			writeChain(&chains, "ingress_"+suffix, rules)
			ingress = append(ingress, address+" : jump ingress_"+suffix)
		}
		if rules, restricted := s.rules(pod, networkingv1.PolicyTypeEgress, running); restricted {
			writeChain(&chains, "egress_"+suffix, rules)
			egress = append(egress, address+" : jump egress_"+suffix)
		}
	}
	forward := []string{
		"type filter hook forward priority filter - 5; policy accept;",
		"ct state established,related accept",
	}
	if len(egress) > 0 {
		forward = append(forward, "ip saddr vmap { "+strings.Join(egress, ", ")+" }")
	}
	if len(ingress) > 0 {
		forward = append(forward, "ip daddr vmap { "+strings.Join(ingress, ", ")+" }")
	}
	return fmt.Sprintf("add table ip %[1]s\ndelete table ip %[1]s\ntable ip %[1]s {\n%s  chain forward {\n    %s\n  }\n}\n",
		table, chains.String(), strings.Join(forward, "\n    "))
}

// runningPods are the pods that own an IPv4 address of the pod network, in the order of their addresses.
func (s snapshot) runningPods() []*corev1.Pod {
	var running []*corev1.Pod
	for _, pod := range s.pods {
		address, err := netip.ParseAddr(pod.Status.PodIP)
		ended := pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
		if err == nil && address.Is4() && !pod.Spec.HostNetwork && !ended {
			running = append(running, pod)
		}
	}
	slices.SortFunc(running, func(a, b *corev1.Pod) int { return strings.Compare(a.Status.PodIP, b.Status.PodIP) })
	return running
}

// rules are the matches that let a packet through in one direction; restricted is false when no policy selects the pod.
func (s snapshot) rules(pod *corev1.Pod, direction networkingv1.PolicyType, running []*corev1.Pod) (rules []string, restricted bool) {
	for _, policy := range s.policies {
		if policy.Namespace != pod.Namespace || !selects(&policy.Spec.PodSelector, pod.Labels) ||
			!slices.Contains(policy.Spec.PolicyTypes, direction) {
			continue
		}
		restricted = true
		if direction == networkingv1.PolicyTypeIngress {
			for _, rule := range policy.Spec.Ingress {
				peers := s.peerMatches(pod.Namespace, "saddr", rule.From, running)
				rules = append(rules, combine(peers, portMatches(rule.Ports, []*corev1.Pod{pod}))...)
			}
		} else {
			for _, rule := range policy.Spec.Egress {
				peers := s.peerMatches(pod.Namespace, "daddr", rule.To, running)
				rules = append(rules, combine(peers, portMatches(rule.Ports, running))...)
			}
		}
	}
	return rules, restricted
}

// peerMatches are alternatives, of which one must match; no peers at all means anyone, peers that select no pod mean no one.
func (s snapshot) peerMatches(namespace, field string, peers []networkingv1.NetworkPolicyPeer, running []*corev1.Pod) []string {
	if len(peers) == 0 {
		return []string{""}
	}
	var matches, addresses []string
	for _, peer := range peers {
		if block := peer.IPBlock; block != nil {
			if prefix, err := netip.ParsePrefix(block.CIDR); err != nil || !prefix.Addr().Is4() {
				continue
			}
			match := fmt.Sprintf("ip %s %s", field, block.CIDR)
			if len(block.Except) > 0 {
				match += fmt.Sprintf(" ip %s != { %s }", field, strings.Join(block.Except, ", "))
			}
			matches = append(matches, match)
			continue
		}
		for _, pod := range running {
			inNamespace := pod.Namespace == namespace
			if peer.NamespaceSelector != nil {
				namespaceLabels, known := s.namespaces[pod.Namespace]
				inNamespace = known && selects(peer.NamespaceSelector, namespaceLabels)
			}
			if inNamespace && (peer.PodSelector == nil || selects(peer.PodSelector, pod.Labels)) {
				addresses = append(addresses, pod.Status.PodIP)
			}
		}
	}
	if len(addresses) > 0 {
		matches = append(matches, fmt.Sprintf("ip %s { %s }", field, strings.Join(sortedSet(addresses), ", ")))
	}
	return matches
}

// portMatches are alternatives, of which one must match; a port's name is looked up in the pods that receive the packet.
func portMatches(ports []networkingv1.NetworkPolicyPort, receivers []*corev1.Pod) []string {
	if len(ports) == 0 {
		return []string{""}
	}
	var matches []string
	for _, port := range ports {
		protocol := "tcp"
		if port.Protocol != nil {
			protocol = strings.ToLower(string(*port.Protocol))
		}
		switch {
		case port.Port == nil:
			matches = append(matches, "meta l4proto "+protocol)
		case port.Port.StrVal != "":
			for _, number := range namedPorts(receivers, port.Port.StrVal, protocol) {
				matches = append(matches, fmt.Sprintf("%s dport %d", protocol, number))
			}
		case port.EndPort != nil:
			matches = append(matches, fmt.Sprintf("%s dport %d-%d", protocol, port.Port.IntVal, *port.EndPort))
		default:
			matches = append(matches, fmt.Sprintf("%s dport %d", protocol, port.Port.IntVal))
		}
	}
	return sortedSet(matches)
}

func namedPorts(pods []*corev1.Pod, name, protocol string) []int32 {
	var numbers []int32
	for _, pod := range pods {
		for _, container := range pod.Spec.Containers {
			for _, port := range container.Ports {
				if port.Name == name && strings.EqualFold(string(port.Protocol), protocol) {
					numbers = append(numbers, port.ContainerPort)
				}
			}
		}
	}
	return numbers
}

// combine makes one rule of every pair of a peer and a port.
func combine(peers, ports []string) []string {
	var rules []string
	for _, peer := range peers {
		for _, port := range ports {
			rules = append(rules, strings.Join(strings.Fields(peer+" "+port+" return"), " "))
		}
	}
	return rules
}

func writeChain(chains *strings.Builder, name string, rules []string) {
	fmt.Fprintf(chains, "  chain %s {\n", name)
	for _, rule := range append(sortedSet(rules), "counter drop") {
		fmt.Fprintf(chains, "    %s\n", rule)
	}
	chains.WriteString("  }\n")
}

func selects(selector *metav1.LabelSelector, of labels.Set) bool {
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && parsed.Matches(of)
}

func sortedSet(values []string) []string {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}
