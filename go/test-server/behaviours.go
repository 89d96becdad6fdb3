package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

// streamInterval is the time between two events of a stream.
const streamInterval = 250 * time.Millisecond

// coldness is how a server behaves that is ready before it is warm: its first answers take their time.
type coldness struct {
	left  *atomic.Int64
	pause time.Duration
}

func newColdness(requests int, pause time.Duration) coldness {
	left := &atomic.Int64{}
	left.Store(int64(requests))
	return coldness{left: left, pause: pause}
}

// take says whether this answer is one of the cold ones.
func (own coldness) take() bool {
	return own.left.Load() > 0 && own.left.Add(-1) >= 0
}

// durationOf reads a query parameter; the longest that is accepted is longestSleep.
func durationOf(request *http.Request, name string, unit, otherwise time.Duration) (time.Duration, error) {
	text := request.URL.Query().Get(name)
	if text == "" {
		return otherwise, nil
	}
	amount, err := strconv.Atoi(text)
	if err != nil || amount < 0 || amount > int(longestSleep/unit) {
		return 0, fmt.Errorf("%s must be 0 to %d, not %q", name, longestSleep/unit, text)
	}
	return time.Duration(amount) * unit, nil
}

// pauseFor waits; false says that the client has gone meanwhile.
func pauseFor(request *http.Request, pause time.Duration) bool {
	if pause <= 0 {
		return true
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-request.Context().Done():
		return false
	}
}

// answerSlow answers after `ms` milliseconds.
func (own *server) answerSlow(response http.ResponseWriter, request *http.Request) {
	pause, err := durationOf(request, "ms", time.Millisecond, 5*time.Second)
	if err != nil {
		fail(response, http.StatusBadRequest, err.Error())
		return
	}
	if pauseFor(request, pause) {
		writeJSON(response, http.StatusOK, map[string]any{"version": own.version, "ms": pause.Milliseconds()})
	}
}

type streamEvent struct {
	Version string `json:"version"`
	// Index counts from 1 to Of; a client that has not seen all of them was cut off.
	Index int `json:"index"`
	Of    int `json:"of"`
}

// answerStream sends server-sent events for `seconds` seconds, numbered, with their total in each.
func (own *server) answerStream(response http.ResponseWriter, request *http.Request) {
	length, err := durationOf(request, "seconds", time.Second, 60*time.Second)
	if err != nil {
		fail(response, http.StatusBadRequest, err.Error())
		return
	}
	response.Header().Set("content-type", "text/event-stream")
	response.Header().Set("cache-control", "no-store")
	control := http.NewResponseController(response)
	total := max(1, int(length/streamInterval))
	for index := 1; index <= total; index++ {
		if !pauseFor(request, streamInterval) {
			return
		}
		data, err := json.Marshal(streamEvent{Version: own.version, Index: index, Of: total})
		if err != nil {
			return
		}
		if _, err := fmt.Fprintf(response, "id: %d\ndata: %s\n\n", index, data); err != nil {
			return
		}
		if err := control.Flush(); err != nil {
			return
		}
	}
}

// answerExit ends the process at once, as a crash does: nothing in flight is answered.
func answerExit(http.ResponseWriter, *http.Request) {
	log.Print("asked to end at once")
	os.Exit(1)
}
