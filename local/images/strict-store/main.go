// A store of the tests that behaves: S3 over TLS in front of versitygw, by the dialect of another store, which refuses what that one refuses, with its answers as users have
// reported them. It is none of those stores: what else they refuse, it takes.
//
// Environment: LISTEN, the address; UPSTREAM, versitygw's, as http://…; TLS_CERT and TLS_KEY, files, without which it speaks plain HTTP; DIALECT, see dialects, "strict" where it
// is left out; ROOT, versitygw's folder, which is looked into for what is locked; LOCKS, `<bucket>/<prefix>=<seconds>` each, which lock what is younger; RETENTION, buckets with a
// default retention; DOMAIN, the host before which a bucket's name may stand; NARROW, `<access key>=<prefix>,<prefix>`: a key that reads everything and writes below those alone. Lists
// are separated by spaces. Every refusal is a line of its output, "refused <method> <path>: <why>".
package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// A refusal is what a store answers in place of an object.
type refusal struct {
	status        int
	code, message string
}

// A store by its settings.
type store struct {
	upstream *url.URL
	dialect  dialect
	// Where a bucket's objects are as files; empty where nothing is locked.
	root      string
	locks     []lock
	retention []string
	domain    string
	narrow    map[string][]string
	refusals  *log.Logger
	parts     parts
}

type answer struct {
	XMLName xml.Name `xml:"Error"`
	Code    string
	Message string
}

func (s *store) refuse(writer http.ResponseWriter, request *http.Request, why *refusal) {
	s.refusals.Printf("refused %s %s: %s", request.Method, request.URL.Path, why.message)
	// Some clients read no answer before they have sent everything.
	_, _ = io.Copy(io.Discard, io.LimitReader(request.Body, 64<<20))
	body, _ := xml.Marshal(answer{Code: why.code, Message: why.message})
	writer.Header().Set("Content-Type", "application/xml")
	writer.WriteHeader(why.status)
	if request.Method != http.MethodHead {
		_, _ = writer.Write(append([]byte(xml.Header), body...))
	}
}

// largestList is how long a request may be that is read here before it is handed on: a list of keys or of parts.
const largestList = 8 << 20

// listed reads such a request and puts it back.
func listed(request *http.Request) []byte {
	body, _ := io.ReadAll(io.LimitReader(request.Body, largestList))
	request.Body = io.NopCloser(bytes.NewReader(body))
	return body
}

// handler answers what is refused itself, and hands on everything else as it came: the signature covers the host's name too.
func (s *store) handler() http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(request *httputil.ProxyRequest) {
			request.SetURL(s.upstream)
			request.Out.Host = request.In.Host
		},
		Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 32},
	}
	return http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		if request.URL.Path == "/health" {
			proxy.ServeHTTP(writer, request)
			return
		}
		call := s.read(request)
		if why := s.refused(call, request); why != nil {
			s.refuse(writer, request, why)
			return
		}
		if held := s.held(call); len(held) > 0 {
			s.deleteOthers(proxy, writer, request, held)
			return
		}
		proxy.ServeHTTP(writer, request)
	})
}

// refused says why a request is refused, or nothing.
func (s *store) refused(call call, request *http.Request) *refusal {
	if why := s.dialect.headers(request.Header); why != nil {
		return why
	}
	if why := s.dialect.style(call); why != nil {
		return why
	}
	if why := s.tooWide(call, request); why != nil {
		return why
	}
	if why := s.withoutSum(call, request); why != nil {
		return why
	}
	if why := s.unequal(call); why != nil {
		return why
	}
	return s.locked(call)
}

func fromEnvironment() (*store, error) {
	s := &store{
		root:      os.Getenv("ROOT"),
		retention: strings.Fields(os.Getenv("RETENTION")),
		domain:    os.Getenv("DOMAIN"),
		narrow:    map[string][]string{},
		refusals:  log.New(os.Stdout, "", 0),
	}
	upstream, err := url.Parse(os.Getenv("UPSTREAM"))
	if err != nil || upstream.Host == "" {
		return nil, fmt.Errorf("UPSTREAM: %q is not allowed. Allowed: an address such as http://127.0.0.1:7071", os.Getenv("UPSTREAM"))
	}
	s.upstream = upstream
	name := os.Getenv("DIALECT")
	if name == "" {
		name = "strict"
	}
	dialect, known := dialects[name]
	if !known {
		return nil, fmt.Errorf("DIALECT: %q is not allowed. Allowed: %s", name, strings.Join(dialectNames(), ", "))
	}
	s.dialect = dialect
	for _, one := range strings.Fields(os.Getenv("LOCKS")) {
		place, seconds, _ := strings.Cut(one, "=")
		bucket, prefix, _ := strings.Cut(place, "/")
		age, err := strconv.Atoi(seconds)
		if err != nil || s.root == "" {
			return nil, fmt.Errorf("LOCKS: %q is not allowed. Allowed: <bucket>/<prefix>=<seconds>, with ROOT", one)
		}
		s.locks = append(s.locks, lock{bucket, prefix, time.Duration(age) * time.Second})
	}
	for _, one := range strings.Fields(os.Getenv("NARROW")) {
		key, prefixes, _ := strings.Cut(one, "=")
		s.narrow[key] = strings.Split(prefixes, ",")
	}
	return s, nil
}

func main() {
	s, err := fromEnvironment()
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Addr: os.Getenv("LISTEN"), Handler: s.handler()}
	if os.Getenv("TLS_CERT") == "" {
		log.Fatal(server.ListenAndServe())
	}
	log.Fatal(server.ListenAndServeTLS(os.Getenv("TLS_CERT"), os.Getenv("TLS_KEY")))
}
