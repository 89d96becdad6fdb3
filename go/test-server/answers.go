package main

import (
	"math"
	"os"
	"strings"
)

// answering is how a model answers beside its numbers, and how it is wrong.
type answering struct {
	// Names of the classes: the prediction, rounded down, by their number.
	labels []string
}

func answeringOf() answering {
	own := answering{}
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
		numbers[row] = value
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
