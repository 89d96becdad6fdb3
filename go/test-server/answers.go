package main

import (
	"bytes"
	"encoding/json"
	"log"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
)

// answering is how a model answers beside its numbers, and how it is wrong.
type answering struct {
	// Names of the classes: the prediction, rounded down, by their number.
	labels []string
	// Inputs whose first value is as high have no number as their answer.
	nanFrom float64
	// Numbers are off by up to so much, by chance.
	noise float64
	// An output that other versions do not have.
	extra string
}

func answeringOf() answering {
	number := func(name string, otherwise float64) float64 {
		text := os.Getenv(name)
		if text == "" {
			return otherwise
		}
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			log.Fatalf("%s must be a number: %v", name, err)
		}
		return value
	}
	own := answering{nanFrom: number("NAN_FROM", math.Inf(1)), noise: number("NOISE", 0), extra: os.Getenv("EXTRA_OUTPUT")}
	if text := os.Getenv("LABELS"); text != "" {
		own.labels = strings.Split(text, ",")
	}
	return own
}

// anyTensor is an output of any type.
type anyTensor struct {
	Name     string `json:"name"`
	Shape    []int  `json:"shape"`
	Datatype string `json:"datatype"`
	Data     []any  `json:"data"`
}

// outputs are all outputs of an answer, with the first value of its input.
func (own answering) outputs(predicted outputTensor, first float64) []anyTensor {
	numbers := make([]any, len(predicted.Data))
	names := make([]any, len(predicted.Data))
	for row, value := range predicted.Data {
		numbers[row] = value + own.noise*(2*rand.Float64()-1)
		if first >= own.nanFrom {
			numbers[row] = "NaN"
		}
		if len(own.labels) > 0 {
			names[row] = own.labels[int(math.Abs(math.Floor(value)))%len(own.labels)]
		}
	}
	found := []anyTensor{{Name: predicted.Name, Shape: predicted.Shape, Datatype: predicted.Datatype, Data: numbers}}
	if len(own.labels) > 0 {
		found = append(found, anyTensor{Name: "label", Shape: predicted.Shape, Datatype: "BYTES", Data: names})
	}
	if own.extra != "" {
		found = append(found, anyTensor{Name: own.extra, Shape: predicted.Shape, Datatype: "FP64", Data: numbers})
	}
	return found
}

// tensors are the outputs as the metadata has them.
func (own answering) tensors() []tensor {
	found := []tensor{{Name: "predict", Shape: []int{-1, 1}, Datatype: "FP64"}}
	if len(own.labels) > 0 {
		found = append(found, tensor{Name: "label", Shape: []int{-1, 1}, Datatype: "BYTES"})
	}
	if own.extra != "" {
		found = append(found, tensor{Name: own.extra, Shape: []int{-1, 1}, Datatype: "FP64"})
	}
	return found
}

// writeInference writes an answer; NaN as some servers do, though JSON has none.
func writeInference(response http.ResponseWriter, answer inferAnswer) {
	encoded, err := json.Marshal(answer)
	if err != nil {
		fail(response, http.StatusInternalServerError, "the answer cannot be encoded")
		return
	}
	encoded = bytes.ReplaceAll(encoded, []byte(`"NaN"`), []byte("NaN"))
	response.Header().Set("content-type", "application/json")
	response.Header().Set("content-length", strconv.Itoa(len(encoded)))
	_, _ = response.Write(encoded)
}

// firstOf is the first number of an input.
func firstOf(input tensor) float64 {
	values, err := flatten(input.Data, nil)
	if err != nil || len(values) == 0 {
		return 0
	}
	return values[0]
}
