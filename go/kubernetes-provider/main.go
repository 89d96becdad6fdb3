// Command pulumi-resource-kubernetes is the official Kubernetes provider, without what only programs in YAML ask it for.
package main

import (
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version"
)

func main() {
	nothing := []byte("{}")
	provider.Serve("kubernetes", version.Version, nothing, nothing)
}
