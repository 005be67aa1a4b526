package main

import (
	"encoding/xml"
	"net"
	"net/http"
	"strconv"
	"strings"
)

// A call is a request as far as its refusals need it.
type call struct {
	method      string
	bucket, key string
	// The bucket's name is in the host's.
	virtual bool
	// The upload that a part or an end belongs to, the part's number, and its size.
	upload string
	number int
	size   int64
	// Its content comes from another object.
	copied bool
	// Keys of objects that are deleted at once.
	deleted []string
	// Parts that an upload is made of.
	completed []int
	// Names of the query's parts.
	query map[string]bool
}

type deletion struct {
	Object []struct{ Key string }
}

type completion struct {
	Part []struct{ PartNumber int }
}

func (s *store) read(request *http.Request) call {
	found := call{method: request.Method, query: map[string]bool{}, copied: request.Header.Get("x-amz-copy-source") != ""}
	path := strings.TrimPrefix(request.URL.Path, "/")
	host, _, err := net.SplitHostPort(request.Host)
	if err != nil {
		host = request.Host
	}
	if before, virtual := strings.CutSuffix(host, "."+s.domain); s.domain != "" && virtual {
		found.bucket, found.key, found.virtual = before, path, true
	} else {
		found.bucket, found.key, _ = strings.Cut(path, "/")
	}
	query := request.URL.Query()
	for name := range query {
		found.query[name] = true
	}
	found.upload = query.Get("uploadId")
	found.number, _ = strconv.Atoi(query.Get("partNumber"))
	found.size = request.ContentLength
	// A body in signed pieces is longer than what it holds.
	if decoded, err := strconv.ParseInt(request.Header.Get("x-amz-decoded-content-length"), 10, 64); err == nil {
		found.size = decoded
	}
	switch {
	case request.Method == http.MethodPost && query.Has("delete"):
		var body deletion
		_ = xml.Unmarshal(listed(request), &body)
		for _, one := range body.Object {
			found.deleted = append(found.deleted, one.Key)
		}
	case request.Method == http.MethodPost && found.upload != "":
		var body completion
		_ = xml.Unmarshal(listed(request), &body)
		for _, one := range body.Part {
			found.completed = append(found.completed, one.PartNumber)
		}
	}
	return found
}
