// Package mapping says how the Terraform provider "random" appears as Pulumi's package "random".
package mapping

import (
	"context"
	_ "embed"
	"fmt"
	"strings"

	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/terraform-providers/terraform-provider-random/shim"
)

//go:embed bridge-metadata.json
var metadata []byte

// Version is the npm package's version that this provider answers to; set by the linker.
var Version = "0.0.0"

// Info describes the provider to the bridge, with the resource tokens of the published package.
func Info() tfbridge.ProviderInfo {
	resources := map[string]*tfbridge.ResourceInfo{}
	for _, name := range []string{"bytes", "id", "integer", "password", "pet", "shuffle", "string", "uuid"} {
		class := "Random" + strings.ToUpper(name[:1]) + name[1:]
		token := fmt.Sprintf("random:index/random%s:%s", class[len("Random"):], class)
		resources["random_"+name] = &tfbridge.ResourceInfo{Tok: tokens.Type(token)}
	}
	// Neither has an "id" of its own that isn't secret.
	resources["random_bytes"].ComputeID = func(_ context.Context, state resource.PropertyMap) (resource.ID, error) {
		value := state["base64"]
		if value.IsSecret() {
			value = value.SecretValue().Element
		}
		return resource.ID(value.StringValue()), nil
	}
	resources["random_password"].ComputeID = func(context.Context, resource.PropertyMap) (resource.ID, error) {
		return "none", nil
	}
	return tfbridge.ProviderInfo{
		P:            pf.ShimProvider(shim.New()),
		Name:         "random",
		Version:      Version,
		Resources:    resources,
		MetadataInfo: tfbridge.NewProviderMetadata(metadata),
	}
}
