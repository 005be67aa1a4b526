package main

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// ask sends a request with these headers to a strict store, whose other store answers with the host that it was called and the body it got.
func ask(t *testing.T, headers map[string]string) (status int, body, said string) {
	t.Helper()
	behind := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		got, _ := io.ReadAll(request.Body)
		_, _ = writer.Write([]byte(request.Host + " " + string(got)))
	}))
	defer behind.Close()
	upstream, _ := url.Parse(behind.URL)
	var out bytes.Buffer
	strict := &store{upstream: upstream, dialect: dialects["strict"], refusals: log.New(&out, "", 0)}
	front := httptest.NewServer(strict.handler())
	defer front.Close()
	request, _ := http.NewRequest(http.MethodPut, front.URL+"/bucket/key", strings.NewReader("log"))
	request.Host = "store.example"
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	read, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(read), out.String()
}

func TestHandsOnWhatBothStoresTake(t *testing.T) {
	for _, headers := range []map[string]string{
		{"Content-MD5": "cnVuIG9uIGFuZCBvbg=="},
		{"x-amz-content-sha256": "UNSIGNED-PAYLOAD"},
		{"x-amz-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"x-amz-acl": "private", "x-amz-storage-class": "STANDARD"},
	} {
		if status, body, said := ask(t, headers); status != http.StatusOK || body != "store.example log" || said != "" {
			t.Errorf("%v: %d %q %q", headers, status, body, said)
		}
	}
}

func TestRefusesWhatEitherStoreRefuses(t *testing.T) {
	for _, one := range []struct {
		name, value string
		status      int
		code, text  string
	}{
		{"x-amz-sdk-checksum-algorithm", "CRC32", 400, "InvalidArgument", "Unsupported header &#39;x-amz-sdk-checksum-algorithm&#39; received for this API call."},
		{"x-amz-checksum-crc32", "AAAAAA==", 400, "InvalidArgument", "Unsupported header &#39;x-amz-checksum-crc32&#39;"},
		{"x-amz-checksum-mode", "ENABLED", 400, "InvalidArgument", "Unsupported header &#39;x-amz-checksum-mode&#39;"},
		{"x-amz-trailer", "x-amz-checksum-crc32", 400, "InvalidArgument", "Unsupported header &#39;x-amz-trailer&#39;"},
		{"x-amz-server-side-encryption", "AES256", 501, "NotImplemented", "Header &#39;x-amz-server-side-encryption&#39; with value &#39;AES256&#39; not implemented"},
		{"x-amz-tagging", "a=b", 501, "NotImplemented", "Header &#39;x-amz-tagging&#39;"},
		{"x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", 501, "NotImplemented", "STREAMING-UNSIGNED-PAYLOAD-TRAILER not implemented"},
		{"x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", 501, "NotImplemented", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD not implemented"},
	} {
		status, body, said := ask(t, map[string]string{one.name: one.value})
		if status != one.status || !strings.Contains(body, "<Code>"+one.code+"</Code>") || !strings.Contains(body, one.text) {
			t.Errorf("%s: %d %q", one.name, status, body)
		}
		if !strings.HasPrefix(said, "refused PUT /bucket/key: ") {
			t.Errorf("%s: said %q", one.name, said)
		}
	}
}
