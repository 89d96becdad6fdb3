package main

import (
	"embed"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
)

//go:embed models/*.json
var modelFiles embed.FS

// layer is one of a network's: a row of weights for each of its outputs.
type layer struct {
	Weights [][]float64 `json:"weights"`
	Bias    []float64   `json:"bias"`
}

// network is a classifier that train.py has trained, and how it is computed here.
type network struct {
	Layers []layer `json:"layers"`
	// preprocess makes of pixels what the network was trained with.
	preprocess func(pixels []float64) []float64
	// sum adds products up.
	sum func(weights, values []float64) float64
}

// arithmetic is how a network is computed: with which weights, in which order, from which pixels.
type arithmetic struct {
	// precision of the weights: float64, or int8 as deployments to small machines have it.
	precision string
	// order in which products are added: fixed, or any, as parallel reductions add them in 32 bits.
	order string
	// skipped is the number of columns that are taken for others, as by a table that was read with its index.
	skipped int
	// guarded says whether pictures of one colour, which have no contrast, are thought of.
	guarded bool
}

func loadNetwork(name string, how arithmetic) (*network, error) {
	contents, err := modelFiles.ReadFile("models/" + name + ".json")
	if err != nil {
		return nil, err
	}
	own := &network{}
	if err := json.Unmarshal(contents, own); err != nil {
		return nil, err
	}
	switch how.precision {
	case "float64":
	case "int8":
		for _, one := range own.Layers {
			quantise(one.Weights)
		}
	default:
		return nil, fmt.Errorf("unknown precision %q", how.precision)
	}
	switch how.order {
	case "fixed":
		own.sum = inOrder
	case "any":
		own.sum = inAnyOrder
	default:
		return nil, fmt.Errorf("unknown order %q", how.order)
	}
	own.preprocess = func(pixels []float64) []float64 { return contrasted(shifted(pixels, how.skipped), how.guarded) }
	return own, nil
}

// quantise keeps 8 bits of each weight, with one scale for all, as the simplest quantisation after training does.
func quantise(weights [][]float64) {
	largest := 0.0
	for _, row := range weights {
		for _, weight := range row {
			largest = max(largest, math.Abs(weight))
		}
	}
	scale := largest / 127
	for _, row := range weights {
		for index, weight := range row {
			row[index] = float64(int8(math.Round(weight/scale))) * scale
		}
	}
}

func inOrder(weights, values []float64) float64 {
	sum := 0.0
	for index, weight := range weights {
		sum += weight * values[index]
	}
	return sum
}

// inAnyOrder adds in 32 bits and begins anywhere, so that two sums of the same differ in their last digits.
func inAnyOrder(weights, values []float64) float64 {
	from := rand.IntN(len(weights))
	sum := float32(0)
	for index := range weights {
		at := (from + index) % len(weights)
		sum += float32(weights[at]) * float32(values[at])
	}
	return float64(sum)
}

// shifted has each pixel where another one belongs; what falls out at the end comes in at the beginning.
func shifted(pixels []float64, by int) []float64 {
	moved := make([]float64, len(pixels))
	for index, pixel := range pixels {
		moved[(index+by)%len(pixels)] = pixel
	}
	return moved
}

// contrasted has pixels from 0 to 1; those of one colour have no contrast.
func contrasted(pixels []float64, guarded bool) []float64 {
	low, high := math.Inf(1), math.Inf(-1)
	for _, pixel := range pixels {
		low, high = min(low, pixel), max(high, pixel)
	}
	span := high - low
	if guarded {
		span = max(span, 1e-9)
	}
	scaled := make([]float64, len(pixels))
	for index, pixel := range pixels {
		scaled[index] = (pixel - low) / span
	}
	return scaled
}

// scores are the chances of the ten digits, for 64 pixels.
func (own *network) scores(pixels []float64) []float64 {
	values := own.preprocess(pixels)
	for index, one := range own.Layers {
		next := make([]float64, len(one.Bias))
		for output, weights := range one.Weights {
			next[output] = own.sum(weights, values) + one.Bias[output]
			if isLast := index == len(own.Layers)-1; !isLast {
				next[output] = max(0, next[output])
			}
		}
		values = next
	}
	return softmax(values)
}

func softmax(values []float64) []float64 {
	highest := math.Inf(-1)
	for _, value := range values {
		highest = max(highest, value)
	}
	sum := 0.0
	for index, value := range values {
		values[index] = math.Exp(value - highest)
		sum += values[index]
	}
	for index := range values {
		values[index] /= sum
	}
	return values
}

// best is the index of the highest score.
func best(scores []float64) int {
	found := 0
	for index, score := range scores {
		if score > scores[found] {
			found = index
		}
	}
	return found
}
