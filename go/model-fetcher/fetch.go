package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"time"
)

const attempts = 4

const mostRedirects = 5

// limits are how long a server may be silent.
type limits struct {
	connect, header, silence time.Duration
}

var usualLimits = limits{connect: 10 * time.Second, header: time.Minute, silence: time.Minute}

// errRefused is a redirect that is not followed: another try would lead there again.
var errRefused = errors.New("")

var errSilent = errors.New("the server fell silent")

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
	client := clientWith(usualLimits)
	// A pod's network may take a moment to be there, and servers have bad moments.
	pause := time.Second
	for attempt := 1; ; attempt++ {
		size, final, err := download(ctx, client, usualLimits.silence, address, folder, name)
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
func download(
	ctx context.Context, client *http.Client, silence time.Duration, address, folder, name string,
) (size int64, final bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, true, err
	}
	shown := withoutQuery(request.URL)
	response, err := client.Do(request)
	if err != nil {
		var failure *url.Error
		if errors.As(err, &failure) {
			err = failure.Err
		}
		if errors.Is(err, errRefused) {
			return 0, true, fmt.Errorf("%s is not fetched: %w", shown, err)
		}
		return 0, false, fmt.Errorf("%s cannot be reached: %w", shown, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return 0, !isForNow(response.StatusCode), fmt.Errorf("%s answers %s", shown, response.Status)
	}
	partial, err := os.CreateTemp(folder, ".fetching-")
	if err != nil {
		return 0, true, err
	}
	defer os.Remove(partial.Name())
	size, err = io.Copy(partial, listen(response.Body, silence, func() { cancel(errSilent) }))
	if errors.Is(context.Cause(ctx), errSilent) {
		err = errSilent
	}
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

// isForNow says whether another try may be answered otherwise.
func isForNow(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status >= 500
}

// clientWith gives up servers that are silent, and follows no redirect that takes the protection of TLS away.
func clientWith(limits limits) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialContext = (&net.Dialer{Timeout: limits.connect, KeepAlive: 15 * time.Second}).DialContext
	transport.TLSHandshakeTimeout = limits.connect
	transport.ResponseHeaderTimeout = limits.header
	return &http.Client{Transport: transport, CheckRedirect: mayFollow}
}

func mayFollow(next *http.Request, before []*http.Request) error {
	// It would show the address, whose query may be a signature, to the next server.
	next.Header.Del("Referer")
	shown := withoutQuery(next.URL)
	switch last := before[len(before)-1]; {
	case next.URL.Scheme != "http" && next.URL.Scheme != "https":
		return fmt.Errorf("%wit leads to %s, which is neither http nor https", errRefused, shown)
	case last.URL.Scheme == "https" && next.URL.Scheme == "http":
		return fmt.Errorf("%wit leads from https to %s, where anybody on the way could change the model", errRefused, shown)
	case len(before) > mostRedirects:
		return fmt.Errorf("%wit leads on and on, more than %d times", errRefused, mostRedirects)
	}
	return nil
}

// listen reads on, and calls silent when nothing has come for so long.
func listen(body io.Reader, silence time.Duration, silent func()) io.Reader {
	return &listener{body: body, silence: silence, timer: time.AfterFunc(silence, silent)}
}

type listener struct {
	body    io.Reader
	silence time.Duration
	timer   *time.Timer
}

func (l *listener) Read(into []byte) (int, error) {
	n, err := l.body.Read(into)
	if err != nil {
		l.timer.Stop()
	} else {
		l.timer.Reset(l.silence)
	}
	return n, err
}
