// Command pulumi-resource-random is the Terraform provider "random" behind Pulumi's bridge.
// schema.json is written by schema-generator before the build.
package main

import (
	"context"
	_ "embed"

	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"postgres-platform.local/toolchain/random-provider/mapping"
)

//go:embed schema.json
var schema []byte

func main() {
	pf.Main(context.Background(), "random", mapping.Info(), pf.ProviderMetadata{PackageSchema: schema})
}
