package main

import (
	"log"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// How a server turns that was good when it was looked at: `POST /turn/HOW`; any other word makes it well again. Its readiness stays as it is.
const (
	turnedErrors   = "errors"   // HTTP 500 on everything
	turnedIdentity = "identity" // HTTP 500 where a model says who it is
	turnedHang     = "hang"     // no answer
	turnedMute     = "mute"     // no answer where a model says who it is
	turnedThird    = "third"    // HTTP 500 on every third request
	turnedSlow     = "slow"     // ten times as slow
	turnedMemory   = "memory"   // more memory every second
)

const (
	slowBy       = 500 * time.Millisecond
	hangFor      = time.Minute
	memoryStep   = 8 << 20
	memoryRounds = 40
)

type turning struct {
	how   atomic.Value
	asked atomic.Int64
}

func (own *turning) now() string {
	how, _ := own.how.Load().(string)
	return how
}

func (own *turning) answerTurn(response http.ResponseWriter, request *http.Request) {
	how := request.PathValue("how")
	log.Printf("turned: %s", how)
	own.how.Store(how)
	if how == turnedMemory {
		go climb()
	}
	writeJSON(response, http.StatusOK, map[string]string{"turned": how})
}

// climb holds ever more memory, up to some hundred megabytes, for as long as a test may take.
func climb() {
	held := make([][]byte, 0, memoryRounds)
	for range memoryRounds {
		block := make([]byte, memoryStep)
		for index := range block {
			block[index] = 1
		}
		held = append(held, block)
		time.Sleep(time.Second)
	}
	time.Sleep(hangFor)
	log.Printf("held %d MiB", len(held)*memoryStep>>20)
}

// spoils answers a request badly where the server has turned; false says that it is to be answered as usual.
func (own *turning) spoils(response http.ResponseWriter, request *http.Request) bool {
	path := request.URL.Path
	how := own.now()
	if how == "" || strings.HasPrefix(path, "/v2/health/") || strings.HasPrefix(path, "/turn/") || path == "/exit" {
		return false
	}
	broken := func() bool {
		fail(response, http.StatusInternalServerError, "turned bad")
		return true
	}
	isIdentity := request.Method == http.MethodGet && strings.HasPrefix(path, "/v2/models/")
	switch how {
	case turnedErrors:
		return broken()
	case turnedIdentity:
		return isIdentity && broken()
	case turnedHang:
		pauseFor(request, hangFor)
		return broken()
	case turnedMute:
		if !isIdentity {
			return false
		}
		pauseFor(request, hangFor)
		return broken()
	case turnedThird:
		return own.asked.Add(1)%3 == 0 && broken()
	case turnedSlow:
		return !pauseFor(request, slowBy)
	default:
		return false
	}
}
