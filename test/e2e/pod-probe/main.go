// Command pod-probe does in a pod what tests want to see done there; its image has nothing else, not even a shell.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func run(args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	limited, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	switch {
	case len(args) == 1 && args[0] == "sleep":
		<-ctx.Done()
		return nil
	case len(args) == 1 && args[0] == "burn":
		for ctx.Err() == nil {
		}
		return nil
	case len(args) == 2 && args[0] == "resolve":
		addresses, err := net.DefaultResolver.LookupHost(limited, args[1])
		var failure *net.DNSError
		if errors.As(err, &failure) && failure.IsNotFound {
			return errors.New("not found")
		}
		if err != nil {
			return err
		}
		slices.Sort(addresses)
		fmt.Println(strings.Join(addresses, " "))
		return nil
	case len(args) == 2 && args[0] == "get":
		request, err := http.NewRequestWithContext(limited, http.MethodGet, args[1], nil)
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		fmt.Println(answer.StatusCode)
		return nil
	case len(args) == 3 && args[0] == "write":
		return os.WriteFile(args[1], []byte(args[2]), 0o600)
	case len(args) == 2 && args[0] == "read":
		text, err := os.ReadFile(args[1])
		fmt.Println(string(text))
		return err
	default:
		return fmt.Errorf("unknown arguments %q", args)
	}
}
