package main

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// taker keeps what is put into it as S3 does, unless it has an answer for everything.
type taker struct {
	objects map[string][]byte
	headers http.Header
	status  int
	// Takes half of what is sent and closes.
	hangsUp bool
}

func (s *taker) ServeHTTP(answer http.ResponseWriter, asked *http.Request) {
	if s.hangsUp {
		_, _ = io.CopyN(io.Discard, asked.Body, asked.ContentLength/2)
		panic(http.ErrAbortHandler)
	}
	body, err := io.ReadAll(asked.Body)
	sum := md5.Sum(body)
	switch {
	case s.status != 0:
		answer.WriteHeader(s.status)
		fmt.Fprint(answer, "<Error><Code>Refused</Code></Error>")
	case err != nil || asked.Method != http.MethodPut || asked.Header.Get("Content-Md5") != base64.StdEncoding.EncodeToString(sum[:]):
		answer.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(answer, "<Error><Code>BadDigest</Code></Error>")
	default:
		s.objects[strings.TrimPrefix(asked.URL.Path, "/bucket/")] = body
		s.headers = asked.Header
	}
}

// archived runs the program on a file of that name and returns its exit code.
func archived(t *testing.T, s *taker, name string, content []byte, options ...string) int {
	t.Helper()
	s.objects = map[string][]byte{}
	server := httptest.NewServer(s)
	defer server.Close()
	login(t)
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	arguments := append(options, "--endpoint-url", server.URL, "--cloud-provider", "aws-s3", "s3://bucket/shop/main", "g1", path)
	return exitCode(run(archiveProgram, arguments))
}

func TestWhatWasArchivedIsFetched(t *testing.T) {
	for option, ending := range map[string]string{"": "", "--gzip": ".gz", "--lz4": ".lz4", "--zstd": ".zst"} {
		options := strings.Fields(option)
		s := &taker{}
		if code := archived(t, s, segment, whole(), options...); code != 0 {
			t.Errorf("%s: exit code %d", option, code)
		}
		if len(s.objects) != 1 || s.objects["shop/main/g1/wals/0000000100000000/"+segment+ending] == nil {
			t.Errorf("%s: the store has %v", option, keys(s.objects))
		}
		if code, content := restore(t, store{objects: s.objects}, segment); code != 0 || !bytes.Equal(content, whole()) {
			t.Errorf("%s: not fetched again: exit code %d", option, code)
		}
	}
}

func TestWhereEachKindOfFileLies(t *testing.T) {
	for name, key := range map[string]string{
		"00000002.history":           "00000002.history",
		segment + ".partial":         "0000000100000000/" + segment + ".partial",
		segment + ".00000028.backup": "0000000100000000/" + segment + ".00000028.backup",
	} {
		s := &taker{}
		if code := archived(t, s, name, []byte("1\t0/3000000\tno recovery target")); code != 0 || s.objects["shop/main/g1/wals/"+key] == nil {
			t.Errorf("%s: exit code %d, the store has %v", name, code, keys(s.objects))
		}
	}
}

// R2 and B2 refuse checksums that only AWS knows, and to be told how to encrypt.
func TestSendsNothingThatOnlyOneStoreKnows(t *testing.T) {
	s := &taker{}
	archived(t, s, segment, whole(), "--gzip")
	for name := range s.headers {
		for _, part := range []string{"Checksum", "Trailer", "Encryption", "Content-Encoding"} {
			if strings.Contains(name, part) {
				t.Errorf("the header %s: %s", name, s.headers.Get(name))
			}
		}
	}
}

func TestSaysThatItIsArchivedOnlyWhenItIs(t *testing.T) {
	cases := map[string]struct {
		store   taker
		name    string
		content []byte
		options []string
		code    int
	}{
		"the store refuses":             {taker{status: 403}, segment, whole(), nil, exitOther},
		"there is no such bucket":       {taker{status: 404}, segment, whole(), nil, exitOther},
		"the store is broken":           {taker{status: 500}, segment, whole(), nil, exitOther},
		"the store hangs up":            {taker{hangsUp: true}, segment, whole(), nil, exitConnectivity},
		"it has all, unknown":           {taker{status: 503}, segment, whole(), []string{"--gzip"}, exitOther},
		"half a segment":                {taker{}, segment, whole()[:1000], nil, exitOther},
		"a name that no file has":       {taker{}, "postgresql.conf", whole(), nil, exitInvalidName},
		"two ways to compress":          {taker{}, segment, whole(), []string{"--gzip", "--lz4"}, exitOther},
		"a way that nothing here knows": {taker{}, segment, whole(), []string{"--bzip2"}, exitOther},
		"an encryption that is asked":   {taker{}, segment, whole(), []string{"-e", "AES256"}, exitOther},
	}
	for title, each := range cases {
		t.Run(title, func(t *testing.T) {
			if code := archived(t, &each.store, each.name, each.content, each.options...); code != each.code || len(each.store.objects) != 0 {
				t.Errorf("exit code %d in place of %d, the store has %v", code, each.code, keys(each.store.objects))
			}
		})
	}
}

func TestAFileThatIsntThereIsNotArchived(t *testing.T) {
	login(t)
	if code := exitCode(run(archiveProgram, []string{"s3://bucket/p", "g1", filepath.Join(t.TempDir(), segment)})); code != exitOther {
		t.Errorf("exit code %d", code)
	}
}

func keys(objects map[string][]byte) (all []string) {
	for key := range objects {
		all = append(all, key)
	}
	return all
}

func TestTheBucketIsNamedInTheHostWhereThatIsAskedFor(t *testing.T) {
	for style, virtual := range map[string]bool{"auto": false, "path": false, "virtual": true} {
		to, _, err := parse(flag.NewFlagSet(archiveProgram, flag.ContinueOnError), "FILE",
			[]string{"--addressing-style", style, "--endpoint-url", "https://store.test", "s3://bucket/shop", "g1", "file"})
		login(t)
		client, failed := to.client(t.Context())
		if err != nil || failed != nil || client.Options().UsePathStyle == virtual {
			t.Errorf("%s: %v %v", style, err, failed)
		}
	}
	if code := exitCode(run(archiveProgram, []string{"--addressing-style", "other", "s3://b/p", "g1", "f"})); code != exitOther {
		t.Errorf("exit code %d", code)
	}
}
