// Two of Barman's cloud tools without the start of a Python, for the images that are built here: barman-cloud-wal-restore fetches one file of
// PostgreSQL's log from an archive in S3, barman-cloud-wal-archive puts one there. The program is the one by whose name it is called.
//
// PostgreSQL asks for log several times in a row while a standby is promoted, and a primary that stops waits until its last log is
// archived. They take the arguments that CloudNativePG's plugin gives and end with Barman's exit codes, with one difference: 1 says that
// the store was asked and has no such file, and nothing else says 1. What they were not made for they refuse.
package main

import (
	"compress/gzip"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

const (
	exitNotFound     = 1
	exitConnectivity = 2
	exitInvalidName  = 3
	exitOther        = 4
)

// How long one file may take, retries included: PostgreSQL asks again.
const patience = 2 * time.Minute

var (
	segmentName = regexp.MustCompile(`^[0-9A-F]{24}$`)
	historyName = regexp.MustCompile(`^[0-9A-F]{8}\.history$`)
	// What a primary left half written, and the label of a base backup, are archived like segments and never asked for.
	besideName = regexp.MustCompile(`^[0-9A-F]{24}\.(partial|[0-9A-F]{8}\.backup)$`)

	errNotFound    = errors.New("not in the archive")
	errInvalidName = errors.New("not the name of a file of PostgreSQL's log")
)

// A way to compress.
type method struct {
	ending string
	read   func(io.Reader) (io.Reader, error)
	write  func(io.Writer) (io.WriteCloser, error)
}

// By the option that asks for it.
var methods = map[string]method{
	"gzip": {
		".gz",
		func(in io.Reader) (io.Reader, error) { return gzip.NewReader(in) },
		func(out io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(out), nil },
	},
	"lz4": {
		".lz4",
		func(in io.Reader) (io.Reader, error) { return lz4.NewReader(in), nil },
		func(out io.Writer) (io.WriteCloser, error) { return lz4.NewWriter(out), nil },
	},
	"zstd": {
		".zst",
		func(in io.Reader) (io.Reader, error) { return zstd.NewReader(in) },
		func(out io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(out) },
	},
}

// archive is a place in a bucket where one server's log lies.
type archive struct {
	endpoint, bucket, prefix, server string
	// The bucket's name is in the host's name, also at an endpoint.
	virtual bool
}

// key of a file's object, without the ending that says how it is compressed.
func (a archive) key(name string) string {
	parts := []string{a.server, "wals"}
	if a.prefix != "" {
		parts = append([]string{a.prefix}, parts...)
	}
	if !historyName.MatchString(name) {
		parts = append(parts, name[:16])
	}
	return strings.Join(append(parts, name), "/")
}

func (a archive) client(ctx context.Context) (*s3.Client, error) {
	loaded, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	return s3.NewFromConfig(loaded, func(options *s3.Options) {
		if a.endpoint != "" {
			options.BaseEndpoint = aws.String(a.endpoint)
			options.UsePathStyle = !a.virtual
		}
	}), nil
}

// parse reads the options that both programs have, and what follows the archive's place and server.
func parse(flags *flag.FlagSet, usage string, args []string) (archive, []string, error) {
	flags.SetOutput(io.Discard)
	endpoint := flags.String("endpoint-url", "", "where the store listens; AWS when it is left out")
	style := flags.String("addressing-style", "auto", "auto, path or virtual; path where an endpoint is given and nothing else is said")
	provider := flags.String("cloud-provider", "aws-s3", "only aws-s3")
	if err := flags.Parse(args); err != nil {
		return archive{}, nil, err
	}
	if *provider != "aws-s3" {
		return archive{}, nil, fmt.Errorf("the cloud provider %q isn't known here, only aws-s3", *provider)
	}
	if !slices.Contains([]string{"auto", "path", "virtual"}, *style) {
		return archive{}, nil, fmt.Errorf("the addressing style %q isn't known here, only auto, path and virtual", *style)
	}
	if flags.NArg() != 2+len(strings.Fields(usage)) {
		return archive{}, nil, fmt.Errorf("usage: %s [options] s3://BUCKET/PREFIX SERVER %s", flags.Name(), usage)
	}
	place, err := url.Parse(flags.Arg(0))
	if err != nil || place.Scheme != "s3" || place.Host == "" {
		return archive{}, nil, fmt.Errorf("%q is not a place such as s3://bucket/prefix", flags.Arg(0))
	}
	return archive{*endpoint, place.Host, strings.Trim(place.Path, "/"), flags.Arg(1), *style == "virtual"}, flags.Args()[2:], nil
}

// isSegmentSize says whether a segment can be that long: a power of two from 1 MiB up.
func isSegmentSize(size int64) bool { return size >= 1<<20 && size&(size-1) == 0 }

// exitCode says what went wrong as Barman's programs do.
func exitCode(err error) int {
	var answer smithy.APIError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errNotFound):
		return exitNotFound
	case errors.Is(err, errInvalidName):
		return exitInvalidName
	case errors.As(err, &answer):
		// The store answered, and not with what it was asked for.
		return exitOther
	}
	var failed *smithy.OperationError
	if errors.As(err, &failed) {
		return exitConnectivity
	}
	return exitOther
}

const (
	restoreProgram = "barman-cloud-wal-restore"
	archiveProgram = "barman-cloud-wal-archive"
)

func run(program string, args []string) error {
	does, known := map[string]func(context.Context, []string) error{
		restoreProgram: fetch,
		archiveProgram: upload,
	}[program]
	if !known {
		return fmt.Errorf("called as %s, and there is no such program here", program)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return does(ctx, args)
}

func main() {
	program := filepath.Base(os.Args[0])
	err := run(program, os.Args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", program, err)
	}
	os.Exit(exitCode(err))
}
