// Command barman-cloud-wal-restore fetches one file of PostgreSQL's log from an archive that Barman's cloud tools wrote to S3.
//
// It stands in for Barman's program of that name in the images built here: PostgreSQL asks for a segment several times in a row while a
// standby is promoted, and Barman's program starts a Python each time. It takes the arguments that CloudNativePG's plugin gives, and
// its exit codes are Barman's, with one difference: 1 says that the store was asked and has no such file, and nothing else says 1.
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

	errNotFound    = errors.New("not in the archive")
	errInvalidName = errors.New("not the name of a segment or of a timeline's history")
)

// Readers of what Barman's tools may have compressed, by the ending of the object's name.
var readers = map[string]func(io.Reader) (io.Reader, error){
	"":     func(in io.Reader) (io.Reader, error) { return in, nil },
	".gz":  func(in io.Reader) (io.Reader, error) { return gzip.NewReader(in) },
	".lz4": func(in io.Reader) (io.Reader, error) { return lz4.NewReader(in), nil },
	".zst": func(in io.Reader) (io.Reader, error) { return zstd.NewReader(in) },
}

type request struct {
	endpoint, bucket, prefix, server, name, destination string
}

func parse(args []string) (request, error) {
	flags := flag.NewFlagSet("barman-cloud-wal-restore", flag.ContinueOnError)
	endpoint := flags.String("endpoint-url", "", "where the store listens; AWS when it is left out")
	provider := flags.String("cloud-provider", "aws-s3", "only aws-s3")
	if err := flags.Parse(args); err != nil {
		return request{}, err
	}
	if *provider != "aws-s3" {
		return request{}, fmt.Errorf("the cloud provider %q isn't known here, only aws-s3", *provider)
	}
	if flags.NArg() != 4 {
		return request{}, errors.New("usage: barman-cloud-wal-restore [--endpoint-url URL] s3://BUCKET/PREFIX SERVER NAME DESTINATION")
	}
	place, err := url.Parse(flags.Arg(0))
	if err != nil || place.Scheme != "s3" || place.Host == "" {
		return request{}, fmt.Errorf("%q is not a place such as s3://bucket/prefix", flags.Arg(0))
	}
	name := flags.Arg(2)
	if !segmentName.MatchString(name) && !historyName.MatchString(name) {
		return request{}, fmt.Errorf("%q: %w", name, errInvalidName)
	}
	return request{*endpoint, place.Host, strings.Trim(place.Path, "/"), flags.Arg(1), name, flags.Arg(3)}, nil
}

// key is the object's name without the ending that says how it is compressed.
func (r request) key() string {
	parts := []string{r.server, "wals"}
	if r.prefix != "" {
		parts = append([]string{r.prefix}, parts...)
	}
	if segmentName.MatchString(r.name) {
		parts = append(parts, r.name[:16])
	}
	return strings.Join(append(parts, r.name), "/")
}

func (r request) client(ctx context.Context) (*s3.Client, error) {
	loaded, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	return s3.NewFromConfig(loaded, func(options *s3.Options) {
		if r.endpoint != "" {
			options.BaseEndpoint = aws.String(r.endpoint)
			options.UsePathStyle = true
		}
	}), nil
}

// find asks the store which object holds the file, and with which ending.
func (r request) find(ctx context.Context, client *s3.Client) (ending string, err error) {
	listed, err := client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{
		Bucket: aws.String(r.bucket), Prefix: aws.String(r.key()),
	})
	if err != nil {
		return "", err
	}
	unknown := ""
	for _, object := range listed.Contents {
		ending := strings.TrimPrefix(aws.ToString(object.Key), r.key())
		if _, known := readers[ending]; known {
			return ending, nil
		}
		// What a primary left behind half written is for hands, not for recovery; and a backup's label isn't log.
		if !strings.HasPrefix(ending, ".partial") && !strings.Contains(ending, ".backup") {
			unknown = ending
		}
	}
	if unknown != "" {
		return "", fmt.Errorf("the archive has %s%s, and nothing here reads %s", r.name, unknown, unknown)
	}
	return "", fmt.Errorf("%s: %w", r.name, errNotFound)
}

// fetch puts the whole file at its destination, or nothing.
func (r request) fetch(ctx context.Context) error {
	client, err := r.client(ctx)
	if err != nil {
		return err
	}
	ending, err := r.find(ctx, client)
	if err != nil {
		return err
	}
	object, err := client.GetObject(ctx, &s3.GetObjectInput{
		Bucket: aws.String(r.bucket), Key: aws.String(r.key() + ending),
	})
	if err != nil {
		return err
	}
	defer object.Body.Close()
	content, err := readers[ending](object.Body)
	if err != nil {
		return fmt.Errorf("%s%s: %w", r.name, ending, err)
	}
	file, err := os.CreateTemp(filepath.Dir(r.destination), ".wal-restore-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	size, err := io.Copy(file, content)
	if err != nil {
		return fmt.Errorf("%s%s: %w", r.name, ending, err)
	}
	if segmentName.MatchString(r.name) && (size < 1<<20 || size&(size-1) != 0) {
		return fmt.Errorf("%s%s has %d bytes, which no segment has", r.name, ending, size)
	}
	if err := file.Sync(); err != nil {
		return err
	}
	return os.Rename(file.Name(), r.destination)
}

// exitCode says what went wrong as Barman's program does.
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
		// The store answered, and not with a file.
		return exitOther
	}
	var failed *smithy.OperationError
	if errors.As(err, &failed) {
		return exitConnectivity
	}
	return exitOther
}

func run(args []string) error {
	asked, err := parse(args)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return asked.fetch(ctx)
}

func main() {
	err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "barman-cloud-wal-restore:", err)
	}
	os.Exit(exitCode(err))
}
