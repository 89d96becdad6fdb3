// A server of small, real models for the zoo of releases: digits of 8 x 8 pixels (Open Inference protocol, and JSON of its own form), and a text that is
// continued (API of OpenAI, with streams). How a release goes wrong is chosen by what goes wrong in the field: another model file, label map,
// preprocessing, precision, use of a feature store, time-out or memory.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	longestBody = 1 << 20
	// coldFactor is how much slower the feature store is until its caches are filled.
	coldFactor = 10
)

// labelMaps are the files of names that come with models. The second one was sorted by somebody who meant well.
var labelMaps = map[string]string{
	"by-number": "zero,one,two,three,four,five,six,seven,eight,nine",
	"by-name":   "eight,five,four,nine,one,seven,six,three,two,zero",
}

type server struct {
	version      string
	network      *network
	labels       []string
	scoresName   string
	datatypes    map[string]bool
	encodedTwice bool
	store        *store
	// questions to the store for each prediction, and whether each row of a request asks its own.
	questions int
	eachRow   bool
	speaker   *speaker
	kept      *memory
}

// memory is a cache that nobody ever empties.
type memory struct {
	lock  sync.Mutex
	bytes int
	held  [][]byte
}

func (own *memory) keep() {
	if own.bytes == 0 {
		return
	}
	block := bytes.Repeat([]byte{1}, own.bytes)
	own.lock.Lock()
	defer own.lock.Unlock()
	own.held = append(own.held, block)
}

func writeJSON(response http.ResponseWriter, status int, body any) {
	encoded, err := json.Marshal(body)
	if err != nil {
		status, encoded = http.StatusInternalServerError, []byte(`{"error":"the answer cannot be encoded"}`)
	}
	write(response, status, encoded)
}

// writeNumbers writes NaN as some servers do, though JSON has none.
func writeNumbers(response http.ResponseWriter, body any) {
	encoded, err := json.Marshal(body)
	if err != nil {
		fail(response, http.StatusInternalServerError, err.Error())
		return
	}
	write(response, http.StatusOK, bytes.ReplaceAll(encoded, []byte(`"NaN"`), []byte("NaN")))
}

func write(response http.ResponseWriter, status int, encoded []byte) {
	response.Header().Set("content-type", "application/json")
	response.Header().Set("content-length", strconv.Itoa(len(encoded)))
	response.WriteHeader(status)
	_, _ = response.Write(encoded)
}

func fail(response http.ResponseWriter, status int, message string) {
	writeJSON(response, status, map[string]string{"error": message})
}

func environment(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func integer(name string, otherwise int) int {
	value, err := strconv.Atoi(environment(name, strconv.Itoa(otherwise)))
	if err != nil || value < 0 {
		log.Fatalf("%s must be a number from 0 on", name)
	}
	return value
}

func newServer() *server {
	model, err := loadNetwork(environment("MODEL", "small"), arithmetic{
		precision: environment("PRECISION", "float64"),
		order:     environment("SUM_ORDER", "fixed"),
		skipped:   integer("SKIPPED_COLUMNS", 0),
		guarded:   environment("CONTRAST", "guarded") == "guarded",
	})
	if err != nil {
		log.Fatal(err)
	}
	names := labelMaps[environment("LABEL_MAP", "by-number")]
	if names == "" {
		log.Fatal("LABEL_MAP is unknown")
	}
	datatypes := map[string]bool{}
	for _, name := range strings.Split(environment("DATATYPES", "FP64,FP32,UINT8"), ",") {
		datatypes[name] = true
	}
	pause := time.Duration(integer("STORE_MS", 100)) * time.Millisecond
	warmAt := time.Now().Add(time.Duration(integer("COLD_SECONDS", 0)) * time.Second)
	return &server{
		version:      environment("VERSION", "1"),
		network:      model,
		labels:       strings.Split(names, ","),
		scoresName:   environment("SCORES_NAME", "scores"),
		datatypes:    datatypes,
		encodedTwice: environment("ENCODED", "once") == "twice",
		questions:    integer("QUESTIONS", 1),
		eachRow:      environment("FEATURES_OF", "request") == "row",
		store: newStore(integer("CONNECTIONS", 256), func() time.Duration {
			if time.Now().Before(warmAt) {
				return coldFactor * pause
			}
			return pause
		}),
		speaker: newSpeaker(),
		kept:    &memory{bytes: integer("KEPT_KIB", 0) << 10},
	}
}

func (own *server) handler() http.Handler {
	routes := http.NewServeMux()
	ready := func(response http.ResponseWriter, _ *http.Request) {
		writeJSON(response, http.StatusOK, map[string]bool{"ready": true})
	}
	routes.HandleFunc("GET /v2/health/ready", ready)
	routes.HandleFunc("GET /v2/models/{name}/ready", ready)
	routes.HandleFunc("GET /v2/models/{name}", own.answerModel)
	routes.HandleFunc("POST /v2/models/{name}/infer", own.answerInfer)
	routes.HandleFunc("POST /predict", own.answerPlain)
	routes.HandleFunc("POST /v1/chat/completions", own.answerChat)
	return http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		response.Header().Set("x-model-version", own.version)
		routes.ServeHTTP(response, request)
	})
}

func main() {
	own := newServer()
	web := &http.Server{
		Addr: ":8080", Handler: own.handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 5 * time.Minute,
		// 0: an answer may take its time.
		WriteTimeout: time.Duration(integer("WRITE_TIMEOUT_MS", 0)) * time.Millisecond,
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	ended := make(chan error, 1)
	go func() { ended <- web.ListenAndServe() }()
	log.Printf("version %s listens", own.version)
	select {
	case err := <-ended:
		log.Fatal(err)
	case <-stop:
	}
	if err := web.Shutdown(context.Background()); err != nil {
		log.Fatal(err)
	}
}
