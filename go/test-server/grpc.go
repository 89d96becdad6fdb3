package main

import (
	"encoding/binary"
	"errors"
	"io"
	"log"
	"math"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// The Open Inference protocol over gRPC, on a port of its own and without TLS, as real servers have it:
// https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/open_inference_grpc.proto

const inferenceService = "/inference.GRPCInferenceService/"

// Codes of https://github.com/grpc/grpc/blob/master/doc/statuscodes.md
const (
	codeOK              = 0
	codeInvalidArgument = 3
	codeUnimplemented   = 12
	codeUnavailable     = 14
)

// What the health service says.
const (
	serving    = 1
	servingNot = 2
)

var errTruncated = errors.New("the message is truncated")

// field is one field of a message: number is set for varints, bytes for what has a length.
type field struct {
	key    int
	number uint64
	bytes  []byte
}

// fieldsOf takes a message apart.
func fieldsOf(message []byte) ([]field, error) {
	var found []field
	for len(message) > 0 {
		tag, size := binary.Uvarint(message)
		if size <= 0 {
			return nil, errTruncated
		}
		message = message[size:]
		one := field{key: int(tag >> 3)}
		length := 0
		switch tag & 7 {
		case 0:
			if one.number, length = binary.Uvarint(message); length <= 0 {
				return nil, errTruncated
			}
		case 1:
			length = 8
		case 2:
			stated, used := binary.Uvarint(message)
			if used <= 0 || stated > uint64(len(message)-used) {
				return nil, errTruncated
			}
			length = used + int(stated)
			one.bytes = message[used:length]
		case 5:
			length = 4
		default:
			return nil, errors.New("the message has a field of an unknown kind")
		}
		if length > len(message) {
			return nil, errTruncated
		}
		message = message[length:]
		found = append(found, one)
	}
	return found, nil
}

func appendBytes(message []byte, key int, value []byte) []byte {
	message = binary.AppendUvarint(message, uint64(key)<<3|2)
	message = binary.AppendUvarint(message, uint64(len(value)))
	return append(message, value...)
}

func appendText(message []byte, key int, value string) []byte {
	if value == "" {
		return message
	}
	return appendBytes(message, key, []byte(value))
}

func appendBool(message []byte, key int, value bool) []byte {
	if !value {
		return message
	}
	return append(binary.AppendUvarint(message, uint64(key)<<3), 1)
}

// callFailure is how a call ends that has no answer.
type callFailure struct {
	code    int
	message string
}

// inferOverGrpc answers ModelInfer: the first input, whose contents are fp64_contents.
func (own *server) inferOverGrpc(message []byte) ([]byte, *callFailure) {
	fields, err := fieldsOf(message)
	if err != nil {
		return nil, &callFailure{codeInvalidArgument, err.Error()}
	}
	var model, id string
	var input []byte
	for _, one := range fields {
		switch one.key {
		case 1:
			model = string(one.bytes)
		case 3:
			id = string(one.bytes)
		case 5:
			if input == nil {
				input = one.bytes
			}
		}
	}
	if input == nil {
		return nil, &callFailure{codeInvalidArgument, "the request has no inputs"}
	}
	shape, values, err := readTensor(input)
	if err != nil {
		return nil, &callFailure{codeInvalidArgument, err.Error()}
	}
	if len(shape) != 2 || shape[0] < 1 || shape[1] < 1 || shape[0] > len(values) || shape[0]*shape[1] != len(values) {
		return nil, &callFailure{codeInvalidArgument, "the input must have two dimensions that fit its fp64_contents"}
	}
	var results []byte
	for row := range shape[0] {
		result := own.model.predict(values[row*shape[1] : (row+1)*shape[1]])
		results = binary.LittleEndian.AppendUint64(results, math.Float64bits(result))
	}
	output := appendText(appendText(nil, 1, "predict"), 2, "FP64")
	output = appendBytes(output, 3, binary.AppendUvarint(binary.AppendUvarint(nil, uint64(shape[0])), 1))
	output = appendBytes(output, 5, appendBytes(nil, 7, results))
	answer := appendText(appendText(appendText(nil, 1, model), 2, own.version), 3, id)
	return appendBytes(answer, 5, output), nil
}

// readTensor reads the shape and the packed fp64_contents of an InferInputTensor.
func readTensor(tensor []byte) (shape []int, values []float64, err error) {
	fields, err := fieldsOf(tensor)
	if err != nil {
		return nil, nil, err
	}
	for _, one := range fields {
		switch one.key {
		case 3:
			for rest := one.bytes; len(rest) > 0; {
				length, size := binary.Uvarint(rest)
				if size <= 0 || length > longestBody {
					return nil, nil, errTruncated
				}
				shape = append(shape, int(length))
				rest = rest[size:]
			}
		case 5:
			contents, err := fieldsOf(one.bytes)
			if err != nil {
				return nil, nil, err
			}
			for _, content := range contents {
				for rest := content.bytes; content.key == 7 && len(rest) >= 8; rest = rest[8:] {
					values = append(values, math.Float64frombits(binary.LittleEndian.Uint64(rest)))
				}
			}
		}
	}
	return shape, values, nil
}

// callMethod answers one unary call.
func (own *server) callMethod(method string, message []byte, request *http.Request) ([]byte, *callFailure) {
	switch method {
	case "Check":
		status := uint64(servingNot)
		if own.ready() {
			status = serving
		}
		return binary.AppendUvarint([]byte{1 << 3}, status), nil
	case "ServerLive":
		return appendBool(nil, 1, true), nil
	case "ServerReady", "ModelReady":
		return appendBool(nil, 1, own.ready()), nil
	case "ServerMetadata":
		return appendText(appendText(nil, 1, "modelswitch-test-server"), 2, own.version), nil
	case "ModelMetadata":
		fields, err := fieldsOf(message)
		if err != nil {
			return nil, &callFailure{codeInvalidArgument, err.Error()}
		}
		answer := []byte{}
		for _, one := range fields {
			if one.key == 1 {
				answer = appendText(answer, 1, string(one.bytes))
			}
		}
		return appendText(appendText(answer, 2, own.version), 3, "modelswitch-test-server"), nil
	case "ModelInfer":
		own.inProgress.Add(1)
		own.requests.Add(1)
		defer own.inProgress.Add(-1)
		milliseconds, err := strconv.Atoi(request.Header.Get("x-sleep-ms"))
		if err == nil && milliseconds > 0 {
			select {
			case <-time.After(min(time.Duration(milliseconds)*time.Millisecond, longestSleep)):
			case <-request.Context().Done():
				return nil, &callFailure{codeUnavailable, "the caller went away"}
			}
		}
		return own.inferOverGrpc(message)
	}
	return nil, &callFailure{codeUnimplemented, "unknown method " + method}
}

func (own *server) answerGrpc(response http.ResponseWriter, request *http.Request) {
	headers := response.Header()
	headers.Set("content-type", "application/grpc")
	headers.Set("x-model-version", own.version)
	headers.Set("trailer", "grpc-status, grpc-message")
	body, err := io.ReadAll(http.MaxBytesReader(response, request.Body, longestBody))
	var answer []byte
	failure := &callFailure{codeInvalidArgument, "one message is expected, not compressed"}
	if err == nil && len(body) >= 5 && body[0] == 0 && binary.BigEndian.Uint32(body[1:]) == uint32(len(body)-5) {
		answer, failure = own.callMethod(request.PathValue("method"), body[5:], request)
	}
	if failure != nil {
		response.WriteHeader(http.StatusOK)
		headers.Set("grpc-status", strconv.Itoa(failure.code))
		headers.Set("grpc-message", url.PathEscape(failure.message))
		return
	}
	head := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(answer)))
	_, _ = response.Write(append(head, answer...))
	headers.Set("grpc-status", strconv.Itoa(codeOK))
}

// serveGrpc listens on the port; the server that it returns can be shut down like one of HTTP.
func (own *server) serveGrpc(port string) *http.Server {
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		log.Fatalf("cannot listen on port %s: %v", port, err)
	}
	routes := http.NewServeMux()
	routes.HandleFunc("POST "+inferenceService+"{method}", own.answerGrpc)
	// https://github.com/grpc/grpc/blob/master/doc/health-checking.md
	routes.HandleFunc("POST /grpc.health.v1.Health/{method}", own.answerGrpc)
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	web := &http.Server{Handler: routes, Protocols: protocols, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Fatal(err)
		}
	}()
	log.Printf("version %s speaks gRPC on port %s", own.version, port)
	return web
}
