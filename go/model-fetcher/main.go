// Command model-fetcher brings a model into a pod before its server starts, and checks that it is the one that the release says.
//
//	model-fetcher URI FOLDER           downloads one file over HTTP
//	model-fetcher verify FOLDER DIGEST checks what is there
//
// The first form is that of KServe's storage initializer, so that either can be the image of the init container.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"time"
)

// exitOtherModel tells modelswitch that another try would find the same model (EX_DATAERR).
const exitOtherModel = 65

const attempts = 4

// errOtherModel is a model that is not the one the release says.
var errOtherModel = errors.New("")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	err := run(ctx, os.Args[1:])
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, strings.TrimSpace(err.Error()))
	if errors.Is(err, errOtherModel) {
		os.Exit(exitOtherModel)
	}
	os.Exit(1)
}

func run(ctx context.Context, arguments []string) error {
	switch {
	case len(arguments) == 3 && arguments[0] == "verify":
		return verify(arguments[1], arguments[2])
	case len(arguments) == 2:
		return fetch(ctx, arguments[0], arguments[1])
	default:
		return errors.New("usage: model-fetcher URI FOLDER, or model-fetcher verify FOLDER DIGEST")
	}
}

func fetch(ctx context.Context, address, folder string) error {
	parsed, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("%s is no URI: %w", address, err)
	}
	if parsed.Scheme != "http" && parsed.Scheme != "https" {
		return fmt.Errorf("%s: this image fetches over http and https only; choose another one with model.fetcher.image", address)
	}
	name := path.Base(parsed.Path)
	if name == "." || name == "/" {
		return fmt.Errorf("%s names no file", address)
	}
	// A pod's network may take a moment to be there, and servers have bad moments.
	pause := time.Second
	for attempt := 1; ; attempt++ {
		size, final, err := download(ctx, address, folder, name)
		if err == nil {
			fmt.Printf("Fetched %s, %d bytes.\n", withoutQuery(parsed), size)
			return nil
		}
		if final || attempt == attempts || ctx.Err() != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "%v; trying again in %s\n", err, pause)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
		pause *= 2
	}
}

// withoutQuery leaves out what may be a signature.
func withoutQuery(address *url.URL) string {
	shown := *address
	shown.RawQuery = ""
	return shown.Redacted()
}

// download writes beside the target and renames, so that what has the name is complete. final: another try is pointless.
func download(ctx context.Context, address, folder, name string) (size int64, final bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, true, err
	}
	shown := withoutQuery(request.URL)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		var failure *url.Error
		if errors.As(err, &failure) {
			err = failure.Err
		}
		return 0, false, fmt.Errorf("%s cannot be reached: %w", shown, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return 0, response.StatusCode < 500, fmt.Errorf("%s answers %s", shown, response.Status)
	}
	partial, err := os.CreateTemp(folder, ".fetching-")
	if err != nil {
		return 0, true, err
	}
	defer os.Remove(partial.Name())
	size, err = io.Copy(partial, response.Body)
	if closeErr := partial.Close(); err == nil {
		err = closeErr
	}
	if err == nil && response.ContentLength >= 0 && size != response.ContentLength {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return 0, false, fmt.Errorf("%s ended after %d bytes: %w", shown, size, err)
	}
	if err := os.Chmod(partial.Name(), 0o644); err != nil {
		return 0, true, err
	}
	return size, true, os.Rename(partial.Name(), filepath.Join(folder, name))
}

func verify(folder, wanted string) error {
	actual, err := digestOf(folder)
	if err != nil {
		return err
	}
	if actual != strings.TrimPrefix(wanted, "sha256:") {
		return fmt.Errorf("%wThe model in %s has the digest sha256:%s, but the release says %s.", errOtherModel, folder, actual, wanted)
	}
	fmt.Printf("The model in %s has the digest %s, as the release says.\n", folder, wanted)
	return nil
}

// digestOf is the SHA-256 of the only file, or of the list that `find . -type f | LC_ALL=C sort | xargs sha256sum` writes.
func digestOf(folder string) (string, error) {
	var names []string
	// A trailing slash follows a link; the mount may be one.
	root := strings.TrimSuffix(folder, "/") + "/"
	if about, err := os.Stat(folder); err == nil && !about.IsDir() {
		return digestOfFile(folder)
	}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		about, err := os.Stat(name)
		if err != nil {
			return err
		}
		if about.Mode().IsRegular() {
			relative, err := filepath.Rel(root, name)
			if err != nil {
				return err
			}
			names = append(names, relative)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	if len(names) == 0 {
		return "", fmt.Errorf("%wThe model has no files in %s.", errOtherModel, folder)
	}
	if len(names) == 1 {
		return digestOfFile(filepath.Join(root, names[0]))
	}
	sort.Slice(names, func(a, b int) bool { return "./"+names[a] < "./"+names[b] })
	list := sha256.New()
	for _, name := range names {
		digest, err := digestOfFile(filepath.Join(root, name))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(list, "%s  ./%s\n", digest, name)
	}
	return hex.EncodeToString(list.Sum(nil)), nil
}

func digestOfFile(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	digest := sha256.New()
	if _, err := io.Copy(digest, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(digest.Sum(nil)), nil
}
