package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// behind is a folder as the store behind: it keeps what is put and deletes what is asked for, and takes everything.
func behind(root string) http.Handler {
	return http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		file := filepath.Join(root, filepath.FromSlash(request.URL.Path))
		query := request.URL.Query()
		body, _ := io.ReadAll(request.Body)
		switch {
		case request.Method == http.MethodPut && !query.Has("uploadId"):
			_ = os.MkdirAll(filepath.Dir(file), 0o755)
			_ = os.WriteFile(file, body, 0o644)
		case request.Method == http.MethodDelete:
			_ = os.Remove(file)
		case query.Has("delete"):
			for _, key := range strings.Split(string(body), "<Key>")[1:] {
				_ = os.Remove(filepath.Join(file, strings.Split(key, "<")[0]))
			}
			fmt.Fprint(writer, `<?xml version="1.0" encoding="UTF-8"?><DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></DeleteResult>`)
		}
	})
}

type shop struct {
	t     *testing.T
	store *store
	url   string
}

func open(t *testing.T, dialect string, change func(*store)) shop {
	t.Helper()
	root := t.TempDir()
	back := httptest.NewServer(behind(root))
	t.Cleanup(back.Close)
	upstream, _ := url.Parse(back.URL)
	s := &store{upstream: upstream, dialect: dialects[dialect], root: root, refusals: log.New(io.Discard, "", 0)}
	if change != nil {
		change(s)
	}
	front := httptest.NewServer(s.handler())
	t.Cleanup(front.Close)
	return shop{t, s, front.URL}
}

func (s shop) ask(method, path, body string, headers ...string) (int, string) {
	s.t.Helper()
	request, _ := http.NewRequest(method, s.url+path, strings.NewReader(body))
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		if name == "Host" {
			request.Host = value
		}
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	said, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(said)
}

func (s shop) want(status int, code, method, path, body string, headers ...string) {
	s.t.Helper()
	got, said := s.ask(method, path, body, headers...)
	if got != status || (code != "" && !strings.Contains(said, "<Code>"+code+"</Code>")) {
		s.t.Errorf("%s %s: %d %s, not %d %s", method, path, got, said, status, code)
	}
}

func TestUnderALockNothingIsWrittenOverOrDeleted(t *testing.T) {
	s := open(t, "r2", func(s *store) { s.locks = []lock{{"copies", "shop/main/", time.Hour}} })
	s.want(200, "", "PUT", "/copies/shop/main/a", "one")
	s.want(403, "ObjectLockedByBucketPolicy", "PUT", "/copies/shop/main/a", "two")
	s.want(403, "ObjectLockedByBucketPolicy", "PUT", "/copies/shop/main/a", "", "x-amz-copy-source: copies/b")
	s.want(403, "ObjectLockedByBucketPolicy", "POST", "/copies/shop/main/a?uploadId=1", "<C><Part><PartNumber>1</PartNumber></Part></C>")
	s.want(403, "ObjectLockedByBucketPolicy", "DELETE", "/copies/shop/main/a", "")
	// Parts and their end without an object in their way, what lies elsewhere, and what is given up.
	s.want(200, "", "PUT", "/copies/shop/main/a?uploadId=1&partNumber=1", "one")
	s.want(200, "", "DELETE", "/copies/shop/main/a?uploadId=1", "")
	s.want(200, "", "POST", "/copies/shop/main/new?uploadId=2", "<C><Part><PartNumber>1</PartNumber></Part></C>")
	for range 2 {
		s.want(200, "", "PUT", "/copies/_verified/shop/main/newest.json", "x")
		s.want(200, "", "PUT", "/live/shop/main/a", "x")
	}
}

func TestALockEnds(t *testing.T) {
	s := open(t, "r2", func(s *store) { s.locks = []lock{{"copies", "", time.Hour}} })
	s.want(200, "", "PUT", "/copies/a", "one")
	file := s.store.file("copies", "a")
	old := time.Now().Add(-2 * time.Hour)
	_ = os.Chtimes(file, old, old)
	s.want(200, "", "PUT", "/copies/a", "two")
	s.want(403, "ObjectLockedByBucketPolicy", "DELETE", "/copies/a", "")
}

func TestOfManyThatAreDeletedAtOnceTheLockedStayWithAnErrorEach(t *testing.T) {
	s := open(t, "r2", func(s *store) { s.locks = []lock{{"copies", "shop/", time.Hour}} })
	for _, key := range []string{"shop/a", "other/b"} {
		s.want(200, "", "PUT", "/copies/"+key, "x")
	}
	status, said := s.ask("POST", "/copies?delete=", "<Delete><Object><Key>shop/a</Key></Object><Object><Key>other/b</Key></Object></Delete>")
	if status != 200 || strings.Count(said, "<Error>") != 1 || !strings.Contains(said, "<Key>shop/a</Key><Code>ObjectLockedByBucketPolicy</Code>") {
		t.Errorf("%d %s", status, said)
	}
	if _, err := os.Stat(s.store.file("copies", "shop/a")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(s.store.file("copies", "other/b")); err == nil {
		t.Error("what isn't locked is still there")
	}
}

func TestPartsOfOneSize(t *testing.T) {
	for dialect, refuses := range map[string]bool{"r2": true, "mega": true, "b2": false, "aws": false, "minio": false} {
		for name, sizes := range map[string][]int{"equal": {5, 5, 3}, "unequal": {5, 4, 3}, "larger at the end": {5, 5, 6}, "one": {7}} {
			s := open(t, dialect, nil)
			end := ""
			for at, size := range sizes {
				s.want(200, "", "PUT", fmt.Sprintf("/live/a?uploadId=u&partNumber=%d", at+1), strings.Repeat("x", size))
				end += fmt.Sprintf("<Part><PartNumber>%d</PartNumber></Part>", at+1)
			}
			status, said := s.ask("POST", "/live/a?uploadId=u", "<CompleteMultipartUpload>"+end+"</CompleteMultipartUpload>")
			wanted := 200
			if refuses && (name == "unequal" || name == "larger at the end") {
				wanted = 400
			}
			if status != wanted || (wanted == 400 && !strings.Contains(said, "All non-trailing parts must have the same length.")) {
				t.Errorf("%s, %s: %d %s", dialect, name, status, said)
			}
		}
	}
}

func TestABucketWithRetentionTakesNothingWithoutItsSum(t *testing.T) {
	s := open(t, "b2", func(s *store) { s.retention = []string{"copies"} })
	s.want(400, "InvalidRequest", "PUT", "/copies/a", "x")
	_, said := s.ask("PUT", "/copies/a?uploadId=1&partNumber=1", "x")
	if !strings.Contains(said, "required for Put Part requests with Object Lock parameters") {
		t.Error(said)
	}
	s.want(200, "", "PUT", "/copies/a", "x", "Content-MD5: nXrCtAIrM+xnJOyK2TnLJQ==")
	s.want(200, "", "PUT", "/copies/a?uploadId=1&partNumber=1", "x", "Content-MD5: nXrCtAIrM+xnJOyK2TnLJQ==")
	s.want(200, "", "PUT", "/live/a", "x")
	// Which AWS's own checksums do too, where they are known.
	s.want(400, "InvalidArgument", "PUT", "/copies/a", "x", "x-amz-checksum-crc32: AAAAAA==")
	aws := open(t, "aws", func(s *store) { s.retention = []string{"copies"} })
	aws.want(200, "", "PUT", "/copies/a", "x", "x-amz-checksum-crc32: AAAAAA==")
	aws.want(400, "InvalidRequest", "PUT", "/copies/a", "x")
}

func TestWhereTheBucketIsNamed(t *testing.T) {
	at := func(s *store) { s.domain = "store.example" }
	oss := open(t, "oss", at)
	oss.want(403, "SecondLevelDomainForbidden", "GET", "/live/a", "", "Host: store.example")
	oss.want(200, "", "PUT", "/a", "x", "Host: live.store.example:7070")
	minio := open(t, "minio", at)
	minio.want(404, "NoSuchBucket", "GET", "/a", "", "Host: live.store.example")
	minio.want(200, "", "PUT", "/live/a", "x", "Host: store.example")
	for _, dialect := range []string{"r2", "b2", "aws"} {
		s := open(t, dialect, at)
		s.want(200, "", "PUT", "/live/a", "x", "Host: store.example")
		s.want(200, "", "PUT", "/a", "x", "Host: live.store.example")
	}
}

func TestANarrowKeyDoesWhatBackupsTakeAndNothingElse(t *testing.T) {
	s := open(t, "aws", func(s *store) { s.narrow = map[string][]string{"NARROW": {"shop/main/", "_verified/shop/main/"}} })
	key := "Authorization: AWS4-HMAC-SHA256 Credential=NARROW/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
	for _, one := range []string{
		"PUT /live/shop/main/a", "PUT /live/_verified/shop/main/a", "DELETE /live/shop/main/a", "GET /live/another/cluster/a", "HEAD /live/shop/main/a",
		"GET /live?list-type=2&prefix=shop", "GET /live?location=", "POST /live/shop/main/a?uploads=",
	} {
		method, path, _ := strings.Cut(one, " ")
		s.want(200, "", method, path, "", key)
	}
	s.want(200, "", "POST", "/live?delete=", "<Delete><Object><Key>shop/main/a</Key></Object></Delete>", key)
	s.want(403, "AccessDenied", "POST", "/live?delete=", "<Delete><Object><Key>shop/main/a</Key></Object><Object><Key>shop/other/a</Key></Object></Delete>", key)
	for _, one := range []string{
		"GET /", "PUT /another", "PUT /live/another/cluster/a", "DELETE /live/another/cluster/a", "GET /live?versions=", "GET /live?versioning=", "PUT /live?versioning=",
		"GET /live?object-lock=", "DELETE /live", "GET /live/other/a?acl=",
	} {
		method, path, _ := strings.Cut(one, " ")
		s.want(403, "AccessDenied", method, path, "", key)
	}
	// Another key is none of that's business.
	s.want(200, "", "PUT", "/another", "", strings.Replace(key, "NARROW", "ROOT", 1))
}

func TestWhatItIsTold(t *testing.T) {
	for name, value := range map[string]string{"UPSTREAM": "http://127.0.0.1:7071", "ROOT": "/data", "LOCKS": "copies/shop/main/=90", "NARROW": "k=a/,b/", "DIALECT": "r2"} {
		t.Setenv(name, value)
	}
	s, err := fromEnvironment()
	if err != nil || s.locks[0] != (lock{"copies", "shop/main/", 90 * time.Second}) || len(s.narrow["k"]) != 2 || !s.dialect.equalParts {
		t.Errorf("%+v %v", s, err)
	}
	for name, value := range map[string]string{"UPSTREAM": "", "DIALECT": "s4", "LOCKS": "copies/a", "ROOT": ""} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			if _, err := fromEnvironment(); err == nil || !strings.Contains(err.Error(), "is not allowed. Allowed: ") {
				t.Error(err)
			}
		})
	}
}
