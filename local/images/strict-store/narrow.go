package main

import (
	"net/http"
	"regexp"
	"strings"
)

var credential = regexp.MustCompile(`Credential=([^/,]+)/`)

// Parts of a query with which the contents of a bucket are listed, or where it is asked for.
var listing = []string{"list-type", "prefix", "delimiter", "marker", "max-keys", "encoding-type", "location", "uploads", "continuation-token", "start-after", "fetch-owner", "x-id"}

// tooWide refuses what a key for one cluster's backups may not do: whether the store has that bucket, or how it is set up, is none of its business.
func (s *store) tooWide(call call, request *http.Request) *refusal {
	found := credential.FindStringSubmatch(request.Header.Get("Authorization"))
	if found == nil {
		return nil
	}
	prefixes, narrow := s.narrow[found[1]]
	if !narrow {
		return nil
	}
	below := func(key string) bool {
		for _, prefix := range prefixes {
			if strings.HasPrefix(key, prefix) {
				return true
			}
		}
		return false
	}
	allowed := false
	switch {
	case call.bucket == "":
	case call.key != "":
		reads := call.method == http.MethodGet || call.method == http.MethodHead
		allowed = below(call.key) || (reads && plain(call, []string{"x-id", "partNumber"}))
	case call.method == http.MethodGet || call.method == http.MethodHead:
		allowed = plain(call, listing)
	case call.deleted != nil:
		allowed = true
		for _, key := range call.deleted {
			allowed = allowed && below(key)
		}
	}
	if allowed {
		return nil
	}
	return &refusal{http.StatusForbidden, "AccessDenied", "Access Denied"}
}

// plain says whether the query has nothing but these.
func plain(call call, known []string) bool {
	for name := range call.query {
		if !contains(known, name) {
			return false
		}
	}
	return true
}

func contains(known []string, name string) bool {
	for _, one := range known {
		if one == name {
			return true
		}
	}
	return false
}
