// Command schema-generator writes the Pulumi schema that the provider embeds.
package main

import (
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfgen"
	"postgres-platform.local/toolchain/random-provider/mapping"
)

func main() { tfgen.Main("random", mapping.Info()) }
