// Command netpol enforces networking.k8s.io/v1 NetworkPolicies on one node: it watches pods, namespaces and policies, and
// keeps one nftables table in step with them. A new pod is unrestricted until the table has followed, about 0.1 s.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	// settle gathers events that come together (a rollout, a new namespace) into one change of the table.
	settle = 100 * time.Millisecond
	// retry is the pause after a change that nft refused.
	retry = time.Second
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "path of the kubeconfig")
	node := flag.String("node", "", "name of the node whose pods are protected")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *kubeconfig, *node); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, kubeconfig, node string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("reading the kubeconfig: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	take := reader(factory, node)
	changed := make(chan struct{}, 1)
	notify := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	handler := cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { notify() },
		UpdateFunc: func(any, any) { notify() },
		DeleteFunc: func(any) { notify() },
	}
	for _, informer := range []cache.SharedIndexInformer{
		factory.Core().V1().Pods().Informer(),
		factory.Core().V1().Namespaces().Informer(),
		factory.Networking().V1().NetworkPolicies().Informer(),
	} {
		if _, err := informer.AddEventHandler(handler); err != nil {
			return fmt.Errorf("watching: %w", err)
		}
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())

	applied := ""
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
		time.Sleep(settle)
		wanted, err := take()
		if err == nil && wanted.ruleset() != applied {
			if err = apply(ctx, wanted.ruleset()); err == nil {
				applied = wanted.ruleset()
			}
		}
		if err != nil {
			log.Print(err)
			time.Sleep(retry)
			notify()
		}
	}
}

// reader returns a function that takes a snapshot from the informers' caches.
func reader(factory informers.SharedInformerFactory, node string) func() (snapshot, error) {
	pods := factory.Core().V1().Pods().Lister()
	namespaces := factory.Core().V1().Namespaces().Lister()
	policies := factory.Networking().V1().NetworkPolicies().Lister()
	return func() (snapshot, error) {
		taken := snapshot{node: node, namespaces: map[string]labels.Set{}}
		var err error
		if taken.pods, err = pods.List(labels.Everything()); err != nil {
			return taken, fmt.Errorf("listing pods: %w", err)
		}
		if taken.policies, err = policies.List(labels.Everything()); err != nil {
			return taken, fmt.Errorf("listing policies: %w", err)
		}
		all, err := namespaces.List(labels.Everything())
		if err != nil {
			return taken, fmt.Errorf("listing namespaces: %w", err)
		}
		for _, namespace := range all {
			taken.namespaces[namespace.Name] = namespace.Labels
		}
		return taken, nil
	}
}

// apply hands the ruleset to nft, which takes all of it or none.
func apply(ctx context.Context, ruleset string) error {
	command := exec.CommandContext(ctx, "nft", "-f", "-")
	command.Stdin = strings.NewReader(ruleset)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("nft refused the ruleset: %w: %s", err, output)
	}
	return nil
}
