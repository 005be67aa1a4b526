package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

const segment = "000000010000000000000003"

// store answers as S3 does; `break` names what it answers instead: a status for everything, or for objects alone.
type store struct {
	objects    map[string][]byte
	listStatus int
	getStatus  int
	cut        bool
}

func (s store) ServeHTTP(answer http.ResponseWriter, asked *http.Request) {
	refuse := func(status int, code string) {
		answer.WriteHeader(status)
		fmt.Fprintf(answer, "<Error><Code>%s</Code><Message>it is a test</Message></Error>", code)
	}
	if asked.URL.Query().Get("list-type") == "2" {
		if s.listStatus != 0 {
			refuse(s.listStatus, "Refused")
			return
		}
		fmt.Fprint(answer, "<ListBucketResult>")
		for key := range s.objects {
			if strings.HasPrefix(key, asked.URL.Query().Get("prefix")) {
				fmt.Fprintf(answer, "<Contents><Key>%s</Key></Contents>", key)
			}
		}
		fmt.Fprint(answer, "</ListBucketResult>")
		return
	}
	body, there := s.objects[strings.TrimPrefix(asked.URL.Path, "/bucket/")]
	switch {
	case s.getStatus != 0:
		refuse(s.getStatus, "Refused")
	case !there:
		refuse(http.StatusNotFound, "NoSuchKey")
	case s.cut:
		answer.Header().Set("Content-Length", fmt.Sprint(len(body)))
		_, _ = answer.Write(body[:len(body)/2])
	default:
		_, _ = answer.Write(body)
	}
}

func packed(t *testing.T, content []byte, open func(io.Writer) (io.WriteCloser, error)) []byte {
	t.Helper()
	var out bytes.Buffer
	writer, err := open(&out)
	if err == nil {
		_, err = writer.Write(content)
	}
	if err == nil {
		err = writer.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// restore runs the program against a store and returns its exit code and what lies at the destination, nil for nothing.
func restore(t *testing.T, s store, name string) (int, []byte) {
	t.Helper()
	server := httptest.NewServer(s)
	defer server.Close()
	return restoreFrom(t, server.URL, name)
}

func login(t *testing.T) {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "a")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "b")
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}

func restoreFrom(t *testing.T, endpoint, name string) (int, []byte) {
	t.Helper()
	login(t)
	folder := t.TempDir()
	destination := filepath.Join(folder, "RECOVERYXLOG")
	code := exitCode(run(restoreProgram, []string{
		"--endpoint-url", endpoint, "--cloud-provider", "aws-s3", "s3://bucket/shop/main", "g1", name, destination,
	}))
	content, err := os.ReadFile(destination)
	if err != nil {
		content = nil
	}
	left, _ := os.ReadDir(folder)
	if expected := len(left); (content == nil && expected != 0) || expected > 1 {
		t.Errorf("%d files are left behind", expected)
	}
	return code, content
}

func at(suffix string, content []byte) map[string][]byte {
	return map[string][]byte{"shop/main/g1/wals/0000000100000000/" + segment + suffix: content}
}

func whole() []byte { return bytes.Repeat([]byte("log!"), 1<<18) }

func TestFetchesWhateverItIsCompressedWith(t *testing.T) {
	ways := map[string]func(io.Writer) (io.WriteCloser, error){
		".gz":  func(out io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(out), nil },
		".lz4": func(out io.Writer) (io.WriteCloser, error) { return lz4.NewWriter(out), nil },
		".zst": func(out io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(out) },
	}
	for ending, way := range ways {
		code, content := restore(t, store{objects: at(ending, packed(t, whole(), way))}, segment)
		if code != 0 || !bytes.Equal(content, whole()) {
			t.Errorf("%s: exit code %d, %d bytes", ending, code, len(content))
		}
	}
	if code, content := restore(t, store{objects: at("", whole())}, segment); code != 0 || !bytes.Equal(content, whole()) {
		t.Errorf("plain: exit code %d", code)
	}
	history := map[string][]byte{"shop/main/g1/wals/00000002.history": []byte("1\t0/3000000\tno recovery target")}
	if code, content := restore(t, store{objects: history}, "00000002.history"); code != 0 || len(content) == 0 {
		t.Errorf("a history: exit code %d", code)
	}
}

func TestOnlyWhatTheStoreDoesntHaveIsNotFound(t *testing.T) {
	plain := at("", whole())
	squeezed := at(".gz", packed(t, whole(), func(out io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(out), nil }))
	cases := map[string]struct {
		store store
		name  string
		code  int
	}{
		"nothing there":              {store{}, segment, exitNotFound},
		"only a half-written one":    {store{objects: at(".partial", whole())}, segment, exitNotFound},
		"an unknown ending":          {store{objects: at(".bz2", whole())}, segment, exitOther},
		"the store refuses lists":    {store{objects: plain, listStatus: 403}, segment, exitOther},
		"there is no such bucket":    {store{objects: plain, listStatus: 404}, segment, exitOther},
		"the store is broken":        {store{objects: plain, listStatus: 503}, segment, exitOther},
		"the store refuses objects":  {store{objects: plain, getStatus: 403}, segment, exitOther},
		"it goes between two asks":   {store{objects: plain, getStatus: 404}, segment, exitOther},
		"an answer that is cut":      {store{objects: plain, cut: true}, segment, exitOther},
		"a compressed one, cut":      {store{objects: squeezed, cut: true}, segment, exitOther},
		"a truncated object":         {store{objects: at(".gz", squeezed["shop/main/g1/wals/0000000100000000/"+segment+".gz"][:99])}, segment, exitOther},
		"a flipped byte":             {store{objects: at(".gz", append([]byte{0}, squeezed["shop/main/g1/wals/0000000100000000/"+segment+".gz"][1:]...))}, segment, exitOther},
		"too short for a segment":    {store{objects: at("", whole()[:1000])}, segment, exitOther},
		"a name that nothing has":    {store{}, "../../etc/passwd", exitInvalidName},
		"the label of a base backup": {store{}, segment + ".00000028.backup", exitInvalidName},
	}
	for title, each := range cases {
		t.Run(title, func(t *testing.T) {
			if code, content := restore(t, each.store, each.name); code != each.code || content != nil {
				t.Errorf("exit code %d in place of %d, %d bytes", code, each.code, len(content))
			}
		})
	}
}

func TestAStoreThatDoesntAnswer(t *testing.T) {
	server := httptest.NewServer(store{})
	server.Close()
	if code, _ := restoreFrom(t, server.URL, segment); code != exitConnectivity {
		t.Errorf("exit code %d", code)
	}
}

func TestIsOneOfTwoPrograms(t *testing.T) {
	if code := exitCode(run("barman-cloud-backup", nil)); code != exitOther {
		t.Errorf("exit code %d", code)
	}
}

func TestRefusesWhatItCantDo(t *testing.T) {
	for _, args := range [][]string{
		{},
		{"s3://bucket/p", "g1", segment},
		{"--cloud-provider", "google-cloud-storage", "s3://bucket/p", "g1", segment, "/x"},
		{"https://bucket/p", "g1", segment, "/x"},
	} {
		if code := exitCode(run(restoreProgram, args)); code != exitOther {
			t.Errorf("%v: exit code %d", args, code)
		}
	}
}
