package main

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// upload puts one file into the archive, as one object that is there whole or not at all; the one that was there before is replaced, as by
// Barman's program. It ends well only when the store has said that it has every byte: PostgreSQL may delete its file then.
func upload(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet(archiveProgram, flag.ContinueOnError)
	asked := map[string]*bool{}
	for option := range methods {
		asked[option] = flags.Bool(option, false, "compress the file by it")
	}
	to, rest, err := parse(flags, "FILE", args)
	if err != nil {
		return err
	}
	path, name := rest[0], filepath.Base(rest[0])
	if !segmentName.MatchString(name) && !historyName.MatchString(name) && !besideName.MatchString(name) {
		return fmt.Errorf("%q: %w", name, errInvalidName)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if segmentName.MatchString(name) && !isSegmentSize(int64(len(content))) {
		return fmt.Errorf("%s has %d bytes, which no segment has", path, len(content))
	}
	body, ending, err := compressed(content, asked)
	if err != nil {
		return err
	}
	client, err := to.client(ctx)
	if err != nil {
		return err
	}
	// Every store compares this one; of the checksums that came later some refuse all.
	sum := md5.Sum(body)
	_, err = client.PutObject(ctx, &s3.PutObjectInput{
		Bucket:     aws.String(to.bucket),
		Key:        aws.String(to.key(name) + ending),
		Body:       bytes.NewReader(body),
		ContentMD5: aws.String(base64.StdEncoding.EncodeToString(sum[:])),
	}, func(options *s3.Options) {
		options.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
	})
	return err
}

// compressed returns the content by the method that was asked for, and how its object's name ends.
func compressed(content []byte, asked map[string]*bool) ([]byte, string, error) {
	body, ending := content, ""
	for option, method := range methods {
		if !*asked[option] {
			continue
		}
		if ending != "" {
			return nil, "", errors.New("only one way to compress may be asked for")
		}
		var packed bytes.Buffer
		writer, err := method.write(&packed)
		if err != nil {
			return nil, "", err
		}
		if _, err := writer.Write(content); err != nil {
			return nil, "", err
		}
		if err := writer.Close(); err != nil {
			return nil, "", err
		}
		body, ending = packed.Bytes(), method.ending
	}
	return body, ending, nil
}
