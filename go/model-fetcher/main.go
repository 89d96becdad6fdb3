// Command model-fetcher brings a model into a pod before its server starts, and checks that it is the one that the release says.
//
//	model-fetcher URI FOLDER           downloads one file over HTTP
//	model-fetcher verify FOLDER DIGEST checks what is there
//
// The first form is that of KServe's storage initializer, so that either can be the image of the init container.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// exitOtherModel tells modelswitch that another try would find the same model (EX_DATAERR).
const exitOtherModel = 65

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
