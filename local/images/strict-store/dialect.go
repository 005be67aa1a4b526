package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// A dialect is what a store refuses by itself, whatever its settings are.
type dialect struct {
	// Headers that Backblaze B2 refuses, and those that Cloudflare R2 does.
	noChecksums, noExtras bool
	// Only one of the two ways to name a bucket.
	pathOnly, virtualOnly bool
	// All parts but the last are of one size.
	equalParts bool
}

var dialects = map[string]dialect{
	// What B2 and R2 refuse, at once.
	"strict": {noChecksums: true, noExtras: true},
	"r2":     {noExtras: true, equalParts: true},
	"b2":     {noChecksums: true},
	"aws":    {},
	"minio":  {pathOnly: true},
	"oss":    {virtualOnly: true, noChecksums: true, noExtras: true},
	"mega":   {equalParts: true},
}

func dialectNames() []string {
	var names []string
	for name := range dialects {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// headers says which header is refused, or nothing.
func (d dialect) headers(headers http.Header) *refusal {
	names := make([]string, 0, len(headers))
	for name := range headers {
		names = append(names, strings.ToLower(name))
	}
	slices.Sort(names)
	for _, name := range names {
		switch {
		// B2: requests with checksums of AWS's own, and those that ask for one beside an object.
		case d.noChecksums && (strings.HasPrefix(name, "x-amz-checksum-") || name == "x-amz-sdk-checksum-algorithm" || name == "x-amz-trailer"):
			return &refusal{http.StatusBadRequest, "InvalidArgument", fmt.Sprintf("Unsupported header '%s' received for this API call.", name)}
		// R2: encryption that is asked for, and tags.
		case d.noExtras && (strings.HasPrefix(name, "x-amz-server-side-encryption") || name == "x-amz-tagging"):
			return &refusal{http.StatusNotImplemented, "NotImplemented", fmt.Sprintf("Header '%s' with value '%s' not implemented", name, headers.Get(name))}
		}
	}
	// R2: a body in signed pieces, or with a checksum behind it.
	if payload := headers.Get("x-amz-content-sha256"); d.noExtras && strings.HasPrefix(payload, "STREAMING-") {
		return &refusal{http.StatusNotImplemented, "NotImplemented", payload + " not implemented"}
	}
	return nil
}

// style says whether the bucket may be named where it is.
func (d dialect) style(call call) *refusal {
	switch {
	case d.virtualOnly && !call.virtual && call.bucket != "":
		return &refusal{http.StatusForbidden, "SecondLevelDomainForbidden", "The bucket you are attempting to access must be addressed using OSS third level domain."}
	case d.pathOnly && call.virtual:
		return &refusal{http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist"}
	}
	return nil
}

// withoutSum says that a bucket with a default retention takes no object, and no part of one, without its sum.
func (s *store) withoutSum(call call, request *http.Request) *refusal {
	if !slices.Contains(s.retention, call.bucket) || call.key == "" || request.Method != http.MethodPut || call.copied {
		return nil
	}
	for name := range request.Header {
		name = strings.ToLower(name)
		if name == "content-md5" || name == "x-amz-trailer" || strings.HasPrefix(name, "x-amz-checksum-") {
			return nil
		}
	}
	what := "Object"
	if call.upload != "" {
		what = "Part"
	}
	return &refusal{http.StatusBadRequest, "InvalidRequest", "Content-MD5 OR x-amz-checksum- HTTP header is required for Put " + what + " requests with Object Lock parameters"}
}
