package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// A lock is R2's: what lies below a prefix can be neither deleted nor written over until it is that old.
type lock struct {
	bucket, prefix string
	age            time.Duration
}

var whyLocked = refusal{http.StatusForbidden, "ObjectLockedByBucketPolicy", "The object is locked by the bucket policy."}

func (s *store) file(bucket, key string) string {
	return filepath.Join(s.root, bucket, filepath.FromSlash(key))
}

// isLocked looks at the object itself: one that isn't there yet may be written.
func (s *store) isLocked(bucket, key string) bool {
	for _, lock := range s.locks {
		if lock.bucket != bucket || key == "" || !strings.HasPrefix(key, lock.prefix) {
			continue
		}
		if found, err := os.Stat(s.file(bucket, key)); err == nil && found.Mode().IsRegular() && time.Since(found.ModTime()) < lock.age {
			return true
		}
	}
	return false
}

// locked refuses what would change a locked object: a new one, also out of parts, and none at all.
func (s *store) locked(call call) *refusal {
	writes := call.method == http.MethodPut && call.upload == "" && call.number == 0
	completes := call.method == http.MethodPost && call.upload != ""
	deletes := call.method == http.MethodDelete && call.upload == ""
	if (writes || completes || deletes) && s.isLocked(call.bucket, call.key) {
		return &whyLocked
	}
	return nil
}

// held are the locked ones among objects that are deleted at once.
func (s *store) held(call call) map[string]string {
	held := map[string]string{}
	for _, key := range call.deleted {
		if s.isLocked(call.bucket, key) {
			held[key] = s.file(call.bucket, key)
		}
	}
	return held
}

type deletionAnswer struct {
	XMLName xml.Name `xml:"DeleteResult"`
	Xmlns   string   `xml:"xmlns,attr,omitempty"`
	Deleted []deletedKey
	Error   []deletionError
}

type deletedKey struct {
	Key                   string
	VersionId             string `xml:",omitempty"`
	DeleteMarker          bool   `xml:",omitempty"`
	DeleteMarkerVersionId string `xml:",omitempty"`
}

type deletionError struct{ Key, Code, Message string }

var holding atomic.Int64

// deleteOthers has the upstream delete, which judges the key that asks, and puts back what is locked, with an error for each: the request as a whole succeeds.
func (s *store) deleteOthers(proxy http.Handler, writer http.ResponseWriter, request *http.Request, held map[string]string) {
	aside := filepath.Join(os.TempDir(), fmt.Sprintf("held-%d-%d", os.Getpid(), holding.Add(1)))
	if s.root != "" {
		// Where it can be linked to.
		aside = filepath.Join(s.root, "."+filepath.Base(aside))
	}
	_ = os.MkdirAll(aside, 0o700)
	defer os.RemoveAll(aside)
	keys := make([]string, 0, len(held))
	for key := range held {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for at, key := range keys {
		_ = os.Link(held[key], filepath.Join(aside, fmt.Sprint(at)))
	}
	recorded := httptest.NewRecorder()
	proxy.ServeHTTP(recorded, request)
	for at, key := range keys {
		if _, err := os.Stat(held[key]); err == nil {
			continue
		}
		_ = os.MkdirAll(filepath.Dir(held[key]), 0o755)
		_ = os.Link(filepath.Join(aside, fmt.Sprint(at)), held[key])
	}
	body := recorded.Body.Bytes()
	var said deletionAnswer
	if recorded.Code == http.StatusOK && xml.Unmarshal(bytes.TrimSpace(body), &said) == nil {
		said.Deleted = slices.DeleteFunc(said.Deleted, func(one deletedKey) bool { return held[one.Key] != "" })
		for _, key := range keys {
			said.Error = append(said.Error, deletionError{key, whyLocked.code, whyLocked.message})
			s.refusals.Printf("refused DELETE %s: %s", key, whyLocked.message)
		}
		said.Xmlns = ""
		marshalled, _ := xml.Marshal(said)
		body = append([]byte(xml.Header), marshalled...)
	}
	for name, values := range recorded.Header() {
		if name != "Content-Length" {
			writer.Header()[name] = values
		}
	}
	writer.WriteHeader(recorded.Code)
	_, _ = writer.Write(body)
}
