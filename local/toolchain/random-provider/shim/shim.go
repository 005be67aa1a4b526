// Package shim opens the Terraform provider's internal constructor: its module path makes it a neighbour of that package.
package shim

import (
	"github.com/hashicorp/terraform-plugin-framework/provider"
	random "github.com/terraform-providers/terraform-provider-random/internal/provider"
)

// New makes the provider.
func New() provider.Provider { return random.New() }
