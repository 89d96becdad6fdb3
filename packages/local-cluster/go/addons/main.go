// Command addons is one binary for what a bare Kubernetes lacks: cluster DNS, volumes and metrics. It runs the program whose
// name it was started under (argv[0]), so the cache holds one file and one link per program.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	// The plugins that the cluster's DNS needs, and no others: CoreDNS has fifty.
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/template"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/component-base/cli"
	metricsserver "sigs.k8s.io/metrics-server/cmd/metrics-server/app"
)

func main() {
	switch name := filepath.Base(os.Args[0]); name {
	case "coredns":
		// A plugin answers what those before it do not: the template comes last here, unlike in CoreDNS itself.
		dnsserver.Directives = []string{"bind", "errors", "loadbalance", "kubernetes", "template"}
		coremain.Run()
	case "metrics-server":
		os.Exit(cli.Run(metricsserver.NewMetricsServerCommand(genericapiserver.SetupSignalHandler())))
	case "local-path-provisioner":
		os.Exit(cli.Run(newProvisionerCommand()))
	default:
		fmt.Fprintf(os.Stderr, "%s: start this binary through a link named after the program to run, for example coredns\n", name)
		os.Exit(2)
	}
}
