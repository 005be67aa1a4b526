package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// fetch puts the whole file at its destination, or nothing.
func fetch(ctx context.Context, args []string) error {
	from, rest, err := parse(flag.NewFlagSet(restoreProgram, flag.ContinueOnError), "NAME DESTINATION", args)
	if err != nil {
		return err
	}
	name, destination := rest[0], rest[1]
	if !segmentName.MatchString(name) && !historyName.MatchString(name) {
		return fmt.Errorf("%q: %w", name, errInvalidName)
	}
	client, err := from.client(ctx)
	if err != nil {
		return err
	}
	ending, read, err := find(ctx, client, from, name)
	if err != nil {
		return err
	}
	object, err := client.GetObject(ctx, &s3.GetObjectInput{
		Bucket: aws.String(from.bucket), Key: aws.String(from.key(name) + ending),
	})
	if err != nil {
		return err
	}
	defer object.Body.Close()
	content, err := read(object.Body)
	if err != nil {
		return fmt.Errorf("%s%s: %w", name, ending, err)
	}
	file, err := os.CreateTemp(filepath.Dir(destination), ".wal-restore-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	size, err := io.Copy(file, content)
	if err != nil {
		return fmt.Errorf("%s%s: %w", name, ending, err)
	}
	if segmentName.MatchString(name) && !isSegmentSize(size) {
		return fmt.Errorf("%s%s has %d bytes, which no segment has", name, ending, size)
	}
	if err := file.Sync(); err != nil {
		return err
	}
	return os.Rename(file.Name(), destination)
}

// find asks the store which object holds the file: its ending, and what reads it.
func find(ctx context.Context, client *s3.Client, from archive, name string) (string, func(io.Reader) (io.Reader, error), error) {
	readers := map[string]func(io.Reader) (io.Reader, error){
		"": func(in io.Reader) (io.Reader, error) { return in, nil },
	}
	for _, method := range methods {
		readers[method.ending] = method.read
	}
	listed, err := client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{
		Bucket: aws.String(from.bucket), Prefix: aws.String(from.key(name)),
	})
	if err != nil {
		return "", nil, err
	}
	unknown := ""
	for _, object := range listed.Contents {
		ending := strings.TrimPrefix(aws.ToString(object.Key), from.key(name))
		if read, known := readers[ending]; known {
			return ending, read, nil
		}
		// What a primary left behind half written is for hands, not for recovery; and a backup's label isn't log.
		if !strings.HasPrefix(ending, ".partial") && !strings.Contains(ending, ".backup") {
			unknown = ending
		}
	}
	if unknown != "" {
		return "", nil, fmt.Errorf("the archive has %s%s, and nothing here reads %s", name, unknown, unknown)
	}
	return "", nil, fmt.Errorf("%s: %w", name, errNotFound)
}
