// Command kubectl is the ordinary kubectl, built from its module.
package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
)

func main() {
	if err := cli.RunNoErrOutput(cmd.NewDefaultKubectlCommand()); err != nil {
		// Prints the error the way kubectl does, and ends the process with the exit code that belongs to it.
		util.CheckErr(err)
		os.Exit(1)
	}
}
