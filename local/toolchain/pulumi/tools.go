//go:build tools

// Package tools keeps the Pulumi CLI among the module's requirements: `go build` builds it straight from there.
package tools

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
