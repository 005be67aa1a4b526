// Command pulumi-language-nodejs is a small Node.js language host for the Pulumi CLI.
//
// Pulumi's own host can't be built from published Go modules. This one does what this project needs of it: it runs a
// program, a policy pack or a provider that is written in TypeScript, and tells the engine which providers the
// program's npm packages want. It installs nothing beyond `npm ci` and knows no other package manager.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

// version is set by the linker.
var version = "0.0.0"

// exitAlreadyReported is how a Node.js program says that it has told the user why it failed.
const exitAlreadyReported = 32

func main() {
	// The engine passes options as flags too; the program's own options arrive with each request.
	for _, name := range []string{"tracing", "root", "tsconfig", "nodeargs", "packagemanager"} {
		flag.String(name, "", "ignored")
	}
	flag.Bool("typescript", true, "ignored")
	flag.Parse()
	if err := serve(flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-language-nodejs:", err)
		os.Exit(1)
	}
}

// serve answers the engine until it goes away.
func serve(engine string) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stop := make(chan bool)
	go func() { <-ctx.Done(); close(stop) }()
	if engine != "" {
		if err := rpcutil.Healthcheck(ctx, engine, 5*time.Minute, cancel); err != nil {
			return err
		}
	}
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: stop,
		Init: func(server *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(server, &host{engine: engine})
			return nil
		},
	})
	if err != nil {
		return err
	}
	fmt.Println(handle.Port)
	return <-handle.Done
}

type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	engine string
}

func (h *host) Handshake(
	_ context.Context, request *pulumirpc.LanguageHandshakeRequest,
) (*pulumirpc.LanguageHandshakeResponse, error) {
	if address := request.GetEngineAddress(); address != "" {
		h.engine = address
	}
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

func (h *host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: version}, nil
}

// GetRequiredPackages lists the providers that the program's npm packages declare.
func (h *host) GetRequiredPackages(
	_ context.Context, request *pulumirpc.GetRequiredPackagesRequest,
) (*pulumirpc.GetRequiredPackagesResponse, error) {
	packages, err := declaredPackages(request.GetInfo().GetProgramDirectory())
	return &pulumirpc.GetRequiredPackagesResponse{Packages: packages}, err
}

// Run runs the program once, for a preview or an update.
func (h *host) Run(ctx context.Context, request *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	info := request.GetInfo()
	script, err := resolveModule(ctx, info.GetProgramDirectory(), "@pulumi/pulumi/cmd/run")
	if err != nil {
		return nil, err
	}
	configuration, err := configurationEnvironment(request)
	if err != nil {
		return nil, err
	}
	args := append(nodeArguments(info), script)
	for _, option := range [][2]string{
		{"monitor", request.GetMonitorAddress()}, {"engine", h.engine}, {"organization", request.GetOrganization()},
		{"project", request.GetProject()}, {"root-directory", info.GetRootDirectory()},
		{"stack", request.GetStack()}, {"pwd", request.GetPwd()},
	} {
		if option[1] != "" {
			args = append(args, "--"+option[0], option[1])
		}
	}
	if request.GetDryRun() {
		args = append(args, "--dry-run")
	}
	entry := info.GetEntryPoint()
	if entry == "" {
		entry = "."
	}
	args = append(args, "--query-mode", "false", "--parallel", fmt.Sprint(request.GetParallel()), entry)
	command := exec.CommandContext(ctx, "node", append(args, request.GetArgs()...)...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	command.Env = append(append(os.Environ(), typescriptEnvironment(info)...), configuration...)

	err = command.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return &pulumirpc.RunResponse{}, nil
	case errors.As(err, &exit) && exit.ExitCode() == exitAlreadyReported:
		return &pulumirpc.RunResponse{Bail: true}, nil
	default:
		return &pulumirpc.RunResponse{Error: "program failed: " + err.Error()}, nil
	}
}

// RunPlugin runs a policy pack or a provider that is written in TypeScript.
func (h *host) RunPlugin(
	request *pulumirpc.RunPluginRequest, stream grpc.ServerStreamingServer[pulumirpc.RunPluginResponse],
) error {
	info := request.GetInfo()
	directory := info.GetProgramDirectory()
	module, tail := "@pulumi/pulumi/cmd/run-plugin", append([]string{directory}, request.GetArgs()...)
	if request.GetKind() == "analyzer" {
		arguments := request.GetArgs()
		if len(arguments) == 0 {
			return errors.New("a policy pack needs the engine's address")
		}
		module, tail = "@pulumi/pulumi/cmd/run-policy-pack", []string{arguments[len(arguments)-1], directory}
	}
	script, err := resolveModule(stream.Context(), directory, module)
	if err != nil {
		return err
	}
	command := exec.CommandContext(stream.Context(), "node", append(append(nodeArguments(info), script), tail...)...)
	command.Dir = directory
	command.Env = append(append(os.Environ(), request.GetEnv()...), typescriptEnvironment(info)...)
	return streamCommand(command, stream)
}

// InstallDependencies installs exactly what the lock file says.
func (h *host) InstallDependencies(
	request *pulumirpc.InstallDependenciesRequest, stream grpc.ServerStreamingServer[pulumirpc.InstallDependenciesResponse],
) error {
	command := exec.CommandContext(stream.Context(), "npm", "ci")
	command.Dir = request.GetInfo().GetProgramDirectory()
	output, err := command.CombinedOutput()
	if sendErr := stream.Send(&pulumirpc.InstallDependenciesResponse{Stdout: output}); err == nil {
		err = sendErr
	}
	return err
}

// streamCommand runs a command and sends what it prints, then its exit code.
func streamCommand(command *exec.Cmd, stream grpc.ServerStreamingServer[pulumirpc.RunPluginResponse]) error {
	// gRPC streams take one sender at a time, and the two outputs have a writer each.
	messages, sent := make(chan *pulumirpc.RunPluginResponse), make(chan error, 1)
	go func() {
		var failure error
		for message := range messages {
			if failure == nil {
				failure = stream.Send(message)
			}
		}
		sent <- failure
	}()
	command.Stdout = writerFunc(func(text []byte) {
		messages <- &pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Stdout{Stdout: text}}
	})
	command.Stderr = writerFunc(func(text []byte) {
		messages <- &pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Stderr{Stderr: text}}
	})
	err := command.Run()
	var exit *exec.ExitError
	code := int32(0)
	if errors.As(err, &exit) {
		code, err = int32(exit.ExitCode()), nil
	}
	if err == nil {
		messages <- &pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Exitcode{Exitcode: code}}
	}
	close(messages)
	return errors.Join(err, <-sent)
}

type writerFunc func([]byte)

func (write writerFunc) Write(text []byte) (int, error) {
	write(append([]byte(nil), text...))
	return len(text), nil
}

var _ io.Writer = writerFunc(nil)

// configurationEnvironment hands the stack's configuration to the program the way the Node.js SDK reads it.
func configurationEnvironment(request *pulumirpc.RunRequest) ([]string, error) {
	values := map[string]string{}
	for name, value := range request.GetConfig() {
		key, err := config.ParseKey(name)
		if err != nil {
			return nil, err
		}
		values[key.Namespace()+":config:"+key.Name()] = value
	}
	secrets := request.GetConfigSecretKeys()
	if secrets == nil {
		secrets = []string{}
	}
	valuesJSON, err := json.Marshal(values)
	if err != nil {
		return nil, err
	}
	secretsJSON, err := json.Marshal(secrets)
	return []string{"PULUMI_CONFIG=" + string(valuesJSON), "PULUMI_CONFIG_SECRET_KEYS=" + string(secretsJSON)}, err
}

func nodeArguments(info *pulumirpc.ProgramInfo) []string {
	return strings.Fields(info.GetOptions().GetFields()["nodeargs"].GetStringValue())
}

func typescriptEnvironment(info *pulumirpc.ProgramInfo) []string {
	fields := info.GetOptions().GetFields()
	var environment []string
	if value, set := fields["typescript"]; !set || value.GetBoolValue() {
		environment = append(environment, "PULUMI_NODEJS_TYPESCRIPT=true")
	}
	if path := fields["tsconfig"].GetStringValue(); path != "" {
		environment = append(environment, "PULUMI_NODEJS_TSCONFIG_PATH="+path)
	}
	return environment
}

// resolveModule finds a module's file as `require.resolve` from that directory would.
func resolveModule(ctx context.Context, directory, module string) (string, error) {
	command := exec.CommandContext(
		ctx, "node", "-p", "require.resolve(process.argv[1],{paths:[process.argv[2]]})", module, directory)
	output, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s is not installed below %s; run `npm ci` there: %w", module, directory, err)
	}
	return strings.TrimSpace(string(output)), nil
}

// declaredPackages reads the providers that npm packages in this directory and above it declare, nearest first.
func declaredPackages(directory string) ([]*pulumirpc.PackageDependency, error) {
	var packages []*pulumirpc.PackageDependency
	seen := map[string]bool{}
	for {
		var manifests []string
		for _, pattern := range []string{"*", "@*/*"} {
			found, err := filepath.Glob(filepath.Join(directory, "node_modules", filepath.FromSlash(pattern), "package.json"))
			if err != nil {
				return nil, err
			}
			manifests = append(manifests, found...)
		}
		for _, manifest := range manifests {
			declared := readPackage(manifest)
			if declared != nil && !seen[declared.Name] {
				seen[declared.Name] = true
				packages = append(packages, declared)
			}
		}
		parent := filepath.Dir(directory)
		if parent == directory {
			return packages, nil
		}
		directory = parent
	}
}

// readPackage returns the provider that one npm package declares, or nil.
func readPackage(manifest string) *pulumirpc.PackageDependency {
	content, err := os.ReadFile(manifest)
	if err != nil || !strings.Contains(string(content), `"pulumi"`) {
		return nil
	}
	var npm struct {
		Name    string
		Version string
		Pulumi  struct {
			Resource bool
			Name     string
			Version  string
			Server   string
		}
	}
	if json.Unmarshal(content, &npm) != nil || !npm.Pulumi.Resource {
		return nil
	}
	name, number := npm.Pulumi.Name, npm.Pulumi.Version
	if name == "" {
		name = npm.Name[strings.LastIndex(npm.Name, "/")+1:]
	}
	if number == "" {
		number = npm.Version
	}
	return &pulumirpc.PackageDependency{
		Name: name, Kind: "resource", Version: "v" + strings.TrimPrefix(number, "v"), Server: npm.Pulumi.Server,
	}
}
