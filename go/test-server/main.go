// Command test-server is a tiny model server that speaks the Open Inference protocol.
// It stands in for a real model server where start-up time and size matter more than the model.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// longestSleep bounds sleepMs, so that a mistyped request cannot hold a connection for ever.
const longestSleep = 10 * time.Minute

// longestBody bounds what one request may send.
const longestBody = 8 << 20

type tensor struct {
	Name     string          `json:"name"`
	Shape    []int           `json:"shape"`
	Datatype string          `json:"datatype"`
	Data     json.RawMessage `json:"data,omitempty"`
}

type inferRequest struct {
	ID     string   `json:"id"`
	Inputs []tensor `json:"inputs"`
}

type outputTensor struct {
	Name     string    `json:"name"`
	Shape    []int     `json:"shape"`
	Datatype string    `json:"datatype"`
	Data     []float64 `json:"data"`
}

type inferAnswer struct {
	ModelName    string      `json:"model_name"`
	ModelVersion string      `json:"model_version"`
	ID           string      `json:"id,omitempty"`
	Outputs      []anyTensor `json:"outputs"`
}

// linearModel is y = bias + sum of weight[i] * x[i]; versions differ in bias and slope.
type linearModel struct {
	bias  float64
	slope float64
}

func modelOf(version string) linearModel {
	number, err := strconv.ParseFloat(version, 64)
	if err != nil {
		for _, character := range version {
			number += float64(character)
		}
	}
	return linearModel{bias: number, slope: 0.5 + number/10}
}

func (model linearModel) predict(row []float64) float64 {
	result := model.bias
	for index, value := range row {
		result += model.slope / float64(index+1) * value
	}
	return result
}

// flatten reads tensor data given flat or nested, as the protocol allows both.
func flatten(data json.RawMessage, into []float64) ([]float64, error) {
	var value any
	decoder := json.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	return flattenValue(value, into)
}

func flattenValue(value any, into []float64) ([]float64, error) {
	switch typed := value.(type) {
	case float64:
		return append(into, typed), nil
	case bool:
		if typed {
			return append(into, 1), nil
		}
		return append(into, 0), nil
	case []any:
		var err error
		for _, item := range typed {
			if into, err = flattenValue(item, into); err != nil {
				return nil, err
			}
		}
		return into, nil
	default:
		return nil, fmt.Errorf("tensor data holds %T, only numbers are supported", value)
	}
}

func (model linearModel) infer(input tensor) (outputTensor, error) {
	if len(input.Shape) == 0 {
		return outputTensor{}, errors.New("the input tensor has no shape")
	}
	values, err := flatten(input.Data, nil)
	if err != nil {
		return outputTensor{}, err
	}
	rows, size := input.Shape[0], 1
	for _, length := range input.Shape {
		if length <= 0 {
			return outputTensor{}, fmt.Errorf("shape %v has a dimension that is not positive", input.Shape)
		}
		if length > longestBody/size {
			return outputTensor{}, fmt.Errorf("shape %v is too large", input.Shape)
		}
		size *= length
	}
	if size != len(values) {
		return outputTensor{}, fmt.Errorf("shape %v needs %d values, but data has %d", input.Shape, size, len(values))
	}
	width := size / rows
	results := make([]float64, rows)
	for row := range results {
		results[row] = model.predict(values[row*width : (row+1)*width])
		if math.IsInf(results[row], 0) || math.IsNaN(results[row]) {
			return outputTensor{}, errors.New("the prediction is not a finite number")
		}
	}
	return outputTensor{Name: "predict", Shape: []int{rows, 1}, Datatype: "FP64", Data: results}, nil
}

type server struct {
	version    string
	model      linearModel
	readyAt    time.Time
	failReady  bool
	answers    answering
	cold       coldness
	inProgress atomic.Int64
	requests   atomic.Int64
	// WebSockets, which the HTTP server no longer knows of.
	sockets sync.WaitGroup
	turn    turning
}

func writeJSON(response http.ResponseWriter, status int, body any) {
	encoded, err := json.Marshal(body)
	if err != nil {
		status, encoded = http.StatusInternalServerError, []byte(`{"error":"the answer cannot be encoded"}`)
	}
	response.Header().Set("content-type", "application/json")
	response.Header().Set("content-length", strconv.Itoa(len(encoded)))
	response.WriteHeader(status)
	_, _ = response.Write(encoded)
}

func fail(response http.ResponseWriter, status int, message string) {
	writeJSON(response, status, map[string]string{"error": message})
}

func (own *server) ready() bool {
	return !own.failReady && !time.Now().Before(own.readyAt)
}

func (own *server) answerReady(response http.ResponseWriter, _ *http.Request) {
	if !own.ready() {
		fail(response, http.StatusServiceUnavailable, "not ready")
		return
	}
	writeJSON(response, http.StatusOK, map[string]bool{"ready": true})
}

func (own *server) answerInfer(response http.ResponseWriter, request *http.Request) {
	pause, err := durationOf(request, "sleepMs", time.Millisecond, 0)
	if err != nil {
		fail(response, http.StatusBadRequest, err.Error())
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(response, request.Body, longestBody))
	if err != nil {
		fail(response, http.StatusBadRequest, err.Error())
		return
	}
	var asked inferRequest
	if err := json.Unmarshal(body, &asked); err != nil {
		fail(response, http.StatusBadRequest, "the request is not valid JSON: "+err.Error())
		return
	}
	if len(asked.Inputs) == 0 {
		fail(response, http.StatusBadRequest, "the request has no inputs")
		return
	}
	if !pauseFor(request, pause) {
		return
	}
	version := own.version
	if own.cold.take() {
		// So that whoever counts answers by version sees what clients got from a server that was not warm.
		version += "-cold"
		if !pauseFor(request, own.cold.pause) {
			return
		}
	}
	output, err := own.model.infer(asked.Inputs[0])
	if err != nil {
		fail(response, http.StatusBadRequest, err.Error())
		return
	}
	writeJSON(response, http.StatusOK, inferAnswer{
		ModelName:    request.PathValue("name"),
		ModelVersion: version,
		ID:           asked.ID,
		Outputs:      own.answers.outputs(output),
	})
}

func (own *server) answerModel(response http.ResponseWriter, request *http.Request) {
	writeJSON(response, http.StatusOK, map[string]any{
		"name":     request.PathValue("name"),
		"versions": []string{own.version},
		"platform": "modelswitch-test-server",
		"inputs":   []tensor{{Name: "predict", Shape: []int{-1, -1}, Datatype: "FP64"}},
		"outputs":  own.answers.tensors(),
	})
}

func (own *server) answerMetrics(response http.ResponseWriter, _ *http.Request) {
	response.Header().Set("content-type", "text/plain; version=0.0.4")
	_, _ = fmt.Fprintf(response, "# HELP test_server_requests_in_progress Inference requests being answered.\n"+
		"# TYPE test_server_requests_in_progress gauge\ntest_server_requests_in_progress{version=%q} %d\n"+
		"# HELP test_server_requests_total Inference requests received.\n"+
		"# TYPE test_server_requests_total counter\ntest_server_requests_total{version=%q} %d\n",
		own.version, own.inProgress.Load(), own.version, own.requests.Load())
}

func (own *server) counted(next http.HandlerFunc) http.HandlerFunc {
	return func(response http.ResponseWriter, request *http.Request) {
		own.inProgress.Add(1)
		own.requests.Add(1)
		defer own.inProgress.Add(-1)
		next(response, request)
	}
}

func (own *server) handler() http.Handler {
	routes := http.NewServeMux()
	infer := own.counted(own.answerInfer)
	routes.HandleFunc("GET /v2/health/live", func(response http.ResponseWriter, _ *http.Request) {
		writeJSON(response, http.StatusOK, map[string]bool{"live": true})
	})
	routes.HandleFunc("GET /v2/health/ready", own.answerReady)
	routes.HandleFunc("GET /v2", func(response http.ResponseWriter, _ *http.Request) {
		writeJSON(response, http.StatusOK, map[string]any{
			"name": "modelswitch-test-server", "version": own.version, "extensions": []string{},
		})
	})
	for _, model := range []string{"/v2/models/{name}", "/v2/models/{name}/versions/{version}"} {
		routes.HandleFunc("GET "+model, own.answerModel)
		routes.HandleFunc("GET "+model+"/ready", own.answerReady)
		routes.HandleFunc("POST "+model+"/infer", infer)
	}
	routes.HandleFunc("/stream", own.counted(own.answerStream))
	routes.HandleFunc("GET /socket", own.counted(own.answerSocket))
	routes.HandleFunc("/slow", own.counted(own.answerSlow))
	routes.HandleFunc("POST /exit", answerExit)
	routes.HandleFunc("POST /turn/{how}", own.turn.answerTurn)
	routes.HandleFunc("GET /metrics", own.answerMetrics)
	// So that a pod of this server can be where models are fetched from.
	if folder := os.Getenv("SERVE_FILES"); folder != "" {
		routes.Handle("GET /files/", http.StripPrefix("/files/", http.FileServer(http.Dir(folder))))
	}
	return http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		if own.turn.spoils(response, request) {
			return
		}
		response.Header().Set("x-model-version", own.version)
		routes.ServeHTTP(response, request)
	})
}

func main() {
	environment := func(name, otherwise string) string {
		if value := os.Getenv(name); value != "" {
			return value
		}
		return otherwise
	}
	isOn := func(name, otherwise string) bool {
		value, err := strconv.ParseBool(environment(name, otherwise))
		if err != nil {
			log.Fatalf("%s must be true or false: %v", name, err)
		}
		return value
	}
	graceful := isOn("GRACEFUL", "true")
	port := environment("PORT", "8080")
	number := func(name string) int {
		value, err := strconv.Atoi(environment(name, "0"))
		if err != nil {
			log.Fatalf("%s must be a number: %v", name, err)
		}
		if value < 0 {
			log.Fatalf("%s must not be negative: %d", name, value)
		}
		return value
	}
	milliseconds := func(name string) time.Duration { return time.Duration(number(name)) * time.Millisecond }
	// A server that loads its model before it listens at all.
	time.Sleep(milliseconds("START_DELAY_MS"))
	version := environment("VERSION", "1")
	// A model, or a setting, that is a file: its contents are the version.
	if name := os.Getenv("VERSION_FILE"); name != "" {
		contents, err := os.ReadFile(name)
		if err != nil {
			log.Fatalf("VERSION_FILE cannot be read: %v", err)
		}
		version = strings.TrimSpace(string(contents))
	}
	own := &server{
		version:   version,
		model:     modelOf(environment("MODEL", version)),
		answers:   answeringOf(),
		readyAt:   time.Now().Add(milliseconds("READY_DELAY_MS")),
		failReady: isOn("FAIL_READY", "false"),
		// A server that is ready before it is warm.
		cold: newColdness(number("COLD_REQUESTS"), milliseconds("COLD_MS")),
	}
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		log.Fatalf("cannot listen on port %s: %v", port, err)
	}
	var overGrpc *http.Server
	if port := os.Getenv("GRPC_PORT"); port != "" {
		overGrpc = own.serveGrpc(port)
	}
	web := &http.Server{Handler: own.handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 5 * time.Minute}
	if isOn("TLS", "false") {
		certificate, err := selfSigned()
		if err != nil {
			log.Fatalf("TLS: %v", err)
		}
		web.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	ended := make(chan error, 1)
	go func() {
		if web.TLSConfig == nil {
			ended <- web.Serve(listener)
			return
		}
		ended <- web.ServeTLS(listener, "", "")
	}()
	log.Printf("version %s listens on port %s", version, port)
	select {
	case err := <-ended:
		log.Fatal(err)
	case <-stop:
	}
	if !graceful {
		log.Printf("ending at once, with %d requests in flight", own.inProgress.Load())
		return
	}
	log.Printf("finishing %d requests in flight", own.inProgress.Load())
	if overGrpc != nil {
		if err := overGrpc.Shutdown(context.Background()); err != nil {
			log.Fatal(err)
		}
	}
	if err := web.Shutdown(context.Background()); err != nil {
		log.Fatal(err)
	}
	own.sockets.Wait()
}
