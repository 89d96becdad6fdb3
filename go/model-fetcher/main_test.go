package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"
)

func write(t *testing.T, folder string, files map[string]string) {
	t.Helper()
	for name, contents := range files {
		target := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(target, []byte(contents), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDigestIsThatOfTheShell(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"one file":   {"model.bin": "weights"},
		"many files": {"b": "2", "a/c": "3", "a.d": "4", "Z": "1"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			write(t, folder, files)
			command := "find . -type f | LC_ALL=C sort | xargs sha256sum | sha256sum"
			if len(files) == 1 {
				command = "cat model.bin | sha256sum"
			}
			shell := exec.Command("sh", "-c", command)
			shell.Dir = folder
			output, err := shell.Output()
			if err != nil {
				t.Fatal(err)
			}
			actual, err := digestOf(folder)
			if err != nil || actual != strings.Fields(string(output))[0] {
				t.Fatalf("%s, %v; the shell says %s", actual, err, output)
			}
		})
	}
}

func TestAnotherModelIsToldApartFromOtherFailures(t *testing.T) {
	folder := t.TempDir()
	write(t, folder, map[string]string{"model.bin": "weights"})
	err := run(context.Background(), []string{"verify", folder, "sha256:" + strings.Repeat("0", 64)})
	if !errors.Is(err, errOtherModel) || !strings.Contains(err.Error(), "has the digest sha256:") {
		t.Fatal(err)
	}
	if err := run(context.Background(), []string{"verify", t.TempDir(), "sha256:0"}); !errors.Is(err, errOtherModel) {
		t.Fatalf("an empty folder: %v", err)
	}
	if err := run(context.Background(), []string{"verify", folder + "/none", "sha256:0"}); err == nil || errors.Is(err, errOtherModel) {
		t.Fatalf("no folder: %v", err)
	}
}

func TestFetchTriesAgainAndLeavesNothingIncomplete(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		asked++
		switch {
		case request.URL.Path == "/missing":
			response.WriteHeader(http.StatusNotFound)
		case asked == 1:
			response.Header().Set("content-length", "100")
			_, _ = response.Write([]byte("wei"))
		default:
			_, _ = response.Write([]byte("weights"))
		}
	}))
	defer server.Close()
	folder := t.TempDir()
	if err := fetch(context.Background(), server.URL+"/models/model.bin?signature=secret", folder); err != nil {
		t.Fatal(err)
	}
	contents, err := os.ReadFile(filepath.Join(folder, "model.bin"))
	if err != nil || string(contents) != "weights" || asked != 2 {
		t.Fatalf("%q after %d requests, %v", contents, asked, err)
	}
	before := asked
	err = fetch(context.Background(), server.URL+"/missing?signature=secret", folder)
	if err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "404") || asked != before+1 {
		t.Fatalf("%v after %d requests", err, asked-before)
	}
	entries, _ := os.ReadDir(folder)
	if len(entries) != 1 {
		t.Fatalf("%v", entries)
	}
	if err := fetch(context.Background(), "s3://bucket/model", folder); err == nil || !strings.Contains(err.Error(), "model.fetcher.image") {
		t.Fatal(err)
	}
}

// The table that the test of the check in the shell reads, too: both have to say the same of each model.
func TestLinksAreThoseOfTheShell(t *testing.T) {
	table, err := os.ReadFile("testdata/links.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name, Refused      string
		Files, Links, Sees map[string]string
	}
	if err := json.Unmarshal(table, &cases); err != nil {
		t.Fatal(err)
	}
	for _, one := range cases {
		t.Run(one.Name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "model")
			write(t, folder, one.Files)
			for name, target := range one.Links {
				if err := os.Symlink(target, filepath.Join(folder, name)); err != nil {
					t.Fatal(err)
				}
			}
			err := run(context.Background(), []string{"verify", folder, digestOfAll(one.Sees)})
			if one.Refused == "" {
				if err != nil {
					t.Fatal(err)
				}
			} else if !errors.Is(err, errOtherModel) || !strings.Contains(err.Error(), one.Refused) {
				t.Fatalf("%v instead of %q", err, one.Refused)
			}
		})
	}
}

func digestOfAll(files map[string]string) string {
	var names []string
	for name := range files {
		names = append(names, name)
	}
	sort.Slice(names, func(a, b int) bool { return "./"+names[a] < "./"+names[b] })
	var list strings.Builder
	for _, name := range names {
		fmt.Fprintf(&list, "%x  ./%s\n", sha256.Sum256([]byte(files[name])), name)
	}
	sum := sha256.Sum256([]byte(list.String()))
	return "sha256:" + hex.EncodeToString(sum[:])
}

func TestRedirects(t *testing.T) {
	referers := map[string]string{}
	note := func(request *http.Request) { referers[request.URL.Path] = request.Header.Get("Referer") }
	plain := httptest.NewServer(http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		note(request)
		_, _ = response.Write([]byte("weights"))
	}))
	defer plain.Close()
	asked := 0
	var secure *httptest.Server
	secure = httptest.NewTLSServer(http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		asked++
		note(request)
		switch request.URL.Path {
		case "/down":
			http.Redirect(response, request, plain.URL+"/model.bin?signature=secret", http.StatusFound)
		case "/round":
			http.Redirect(response, request, "/round", http.StatusFound)
		case "/file":
			http.Redirect(response, request, "file:///etc/hosts", http.StatusFound)
		case "/on":
			http.Redirect(response, request, secure.URL+"/model.bin?signature=other", http.StatusFound)
		default:
			_, _ = response.Write([]byte("weights"))
		}
	}))
	defer secure.Close()
	client := clientWith(usualLimits)
	client.Transport = secure.Client().Transport
	for _, one := range []struct {
		path, wrong string
		asked       int
	}{
		{"/on", "", 2},
		{"/down", "leads from https to http://", 1},
		{"/file", "neither http nor https", 1},
		{"/round", "more than 5 times", 6},
	} {
		asked = 0
		_, final, err := download(
			context.Background(), client, time.Minute, secure.URL+one.path+"?signature=secret", t.TempDir(), "model.bin",
		)
		if asked != one.asked || !final {
			t.Errorf("%s: asked %d times, final %v, %v", one.path, asked, final, err)
		}
		if one.wrong == "" && err != nil || one.wrong != "" && (err == nil || !strings.Contains(err.Error(), one.wrong)) {
			t.Errorf("%s: %v", one.path, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s tells the signature: %v", one.path, err)
		}
	}
	for path, referer := range referers {
		if referer != "" {
			t.Errorf("%s was told of %s", path, referer)
		}
	}
	// Upwards is fine.
	up := httptest.NewServer(http.RedirectHandler(secure.URL+"/model.bin", http.StatusFound))
	defer up.Close()
	if _, _, err := download(context.Background(), client, time.Minute, up.URL+"/x", t.TempDir(), "x"); err != nil {
		t.Error(err)
	}
}

func TestSilentServersAreGivenUp(t *testing.T) {
	stop := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		if request.URL.Path == "/half" {
			response.Header().Set("content-length", "100")
			_, _ = response.Write([]byte("wei"))
			response.(http.Flusher).Flush()
		}
		<-stop
	}))
	defer server.Close()
	defer close(stop)
	client := clientWith(limits{connect: time.Second, header: 100 * time.Millisecond})
	for path, wrong := range map[string]string{
		"/nothing": "timeout awaiting response headers",
		"/half":    "ended after 3 bytes: the server fell silent",
	} {
		folder := t.TempDir()
		_, final, err := download(context.Background(), client, 100*time.Millisecond, server.URL+path, folder, "x")
		if err == nil || final || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%s: final %v, %v", path, final, err)
		}
		if entries, _ := os.ReadDir(folder); len(entries) != 0 {
			t.Errorf("%s left %v", path, entries)
		}
	}
}
