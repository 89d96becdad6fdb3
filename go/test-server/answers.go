package main

import (
	"log"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
)

// answering is how a model answers beside its numbers, and how it is wrong.
type answering struct {
	// Names of the classes: the prediction, rounded down, by their number.
	labels []string
	// Numbers are off by up to so much, by chance.
	noise float64
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
	own := answering{noise: number("NOISE", 0)}
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

// outputs are all outputs of an answer.
func (own answering) outputs(predicted outputTensor) []anyTensor {
	numbers := make([]any, len(predicted.Data))
	names := make([]any, len(predicted.Data))
	for row, value := range predicted.Data {
		numbers[row] = value + own.noise*(2*rand.Float64()-1)
		if len(own.labels) > 0 {
			names[row] = own.labels[int(math.Abs(math.Floor(value)))%len(own.labels)]
		}
	}
	found := []anyTensor{{Name: predicted.Name, Shape: predicted.Shape, Datatype: predicted.Datatype, Data: numbers}}
	if len(own.labels) > 0 {
		found = append(found, anyTensor{Name: "label", Shape: predicted.Shape, Datatype: "BYTES", Data: names})
	}
	return found
}

// tensors are the outputs as the metadata has them.
func (own answering) tensors() []tensor {
	found := []tensor{{Name: "predict", Shape: []int{-1, 1}, Datatype: "FP64"}}
	if len(own.labels) > 0 {
		found = append(found, tensor{Name: "label", Shape: []int{-1, 1}, Datatype: "BYTES"})
	}
	return found
}
