// A store of the tests: S3 over TLS in front of another store, which refuses what Backblaze B2 and Cloudflare R2 refuse, with their answers as
// users of both have reported them. It is neither of the two: what else they refuse, it takes.
//
// Environment: LISTEN, the address; UPSTREAM, the store's, as http://…; TLS_CERT and TLS_KEY, files. Every refusal is a line of its output,
// "refused <method> <path>: <why>".
package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strings"
)

// A refusal is what a store answers in place of an object.
type refusal struct {
	status        int
	code, message string
}

// refused says why a request is refused, or nothing.
func refused(headers http.Header) *refusal {
	names := make([]string, 0, len(headers))
	for name := range headers {
		names = append(names, strings.ToLower(name))
	}
	slices.Sort(names)
	for _, name := range names {
		switch {
		// B2: requests with checksums of AWS's own, and those that ask for one beside an object.
		case strings.HasPrefix(name, "x-amz-checksum-"), name == "x-amz-sdk-checksum-algorithm", name == "x-amz-trailer":
			return &refusal{http.StatusBadRequest, "InvalidArgument", fmt.Sprintf("Unsupported header '%s' received for this API call.", name)}
		// R2: encryption that is asked for, and tags.
		case strings.HasPrefix(name, "x-amz-server-side-encryption"), name == "x-amz-tagging":
			return &refusal{http.StatusNotImplemented, "NotImplemented", fmt.Sprintf("Header '%s' with value '%s' not implemented", name, headers.Get(name))}
		}
	}
	// R2: a body in signed pieces, or with a checksum behind it.
	if payload := headers.Get("x-amz-content-sha256"); strings.HasPrefix(payload, "STREAMING-") {
		return &refusal{http.StatusNotImplemented, "NotImplemented", payload + " not implemented"}
	}
	return nil
}

type answer struct {
	XMLName xml.Name `xml:"Error"`
	Code    string
	Message string
}

// strict answers what is refused itself, and hands on everything else as it came: the signature covers the host's name too.
func strict(upstream *url.URL, refusals *log.Logger) http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(request *httputil.ProxyRequest) {
			request.SetURL(upstream)
			request.Out.Host = request.In.Host
		},
		Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 32},
	}
	return http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		why := refused(request.Header)
		if why == nil {
			proxy.ServeHTTP(writer, request)
			return
		}
		refusals.Printf("refused %s %s: %s", request.Method, request.URL.Path, why.message)
		// Some clients read no answer before they have sent everything.
		_, _ = io.Copy(io.Discard, io.LimitReader(request.Body, 64<<20))
		body, _ := xml.Marshal(answer{Code: why.code, Message: why.message})
		writer.Header().Set("Content-Type", "application/xml")
		writer.WriteHeader(why.status)
		_, _ = writer.Write(append([]byte(xml.Header), body...))
	})
}

func main() {
	upstream, err := url.Parse(os.Getenv("UPSTREAM"))
	if err != nil || upstream.Host == "" {
		log.Fatalf("UPSTREAM: %q is not allowed. Allowed: an address such as http://127.0.0.1:7071", os.Getenv("UPSTREAM"))
	}
	server := &http.Server{Addr: os.Getenv("LISTEN"), Handler: strict(upstream, log.New(os.Stdout, "", 0))}
	log.Fatal(server.ListenAndServeTLS(os.Getenv("TLS_CERT"), os.Getenv("TLS_KEY")))
}
