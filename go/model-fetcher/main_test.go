package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
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
