package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
)

const pixelCount = 64

type inputTensor struct {
	Name     string    `json:"name"`
	Shape    []int     `json:"shape"`
	Datatype string    `json:"datatype"`
	Data     []float64 `json:"data"`
}

type outputTensor struct {
	Name     string `json:"name"`
	Shape    []int  `json:"shape"`
	Datatype string `json:"datatype"`
	Data     any    `json:"data,omitempty"`
}

// number is written as servers do that don't look: NaN, though JSON has none.
type number float64

func (own number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(own)) {
		// encoding/json would refuse the token: it is put in by writeNumbers.
		return []byte(`"NaN"`), nil
	}
	return json.Marshal(float64(own))
}

// rowsOf are the pictures of a request.
func (own *server) rowsOf(input inputTensor) ([][]float64, error) {
	if !own.datatypes[input.Datatype] {
		return nil, fmt.Errorf("no decoder for the datatype %s", input.Datatype)
	}
	if len(input.Data) == 0 || len(input.Data)%pixelCount != 0 {
		return nil, errors.New("index out of range")
	}
	rows := make([][]float64, 0, len(input.Data)/pixelCount)
	for from := 0; from < len(input.Data); from += pixelCount {
		rows = append(rows, input.Data[from:from+pixelCount])
	}
	return rows, nil
}

// predict computes the scores of all rows, once their features are there: those of all rows together, or, by mistake, of one after the other.
func (own *server) predict(rows [][]float64) ([][]float64, error) {
	questions := own.questions
	if own.eachRow {
		questions *= len(rows)
	}
	if err := own.store.ask(questions); err != nil {
		return nil, err
	}
	found := make([][]float64, len(rows))
	for index, row := range rows {
		found[index] = own.network.scores(row)
	}
	own.kept.keep()
	return found, nil
}

// answerInfer answers as the Open Inference protocol has it.
func (own *server) answerInfer(response http.ResponseWriter, request *http.Request) {
	var asked struct {
		ID     string        `json:"id,omitempty"`
		Inputs []inputTensor `json:"inputs"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(response, request.Body, longestBody)).Decode(&asked); err != nil || len(asked.Inputs) == 0 {
		fail(response, http.StatusBadRequest, "a request with an input is expected")
		return
	}
	rows, err := own.rowsOf(asked.Inputs[0])
	if err != nil {
		// Nobody thought of it: servers answer so where an exception is not caught.
		fail(response, http.StatusInternalServerError, err.Error())
		return
	}
	found, err := own.predict(rows)
	if err != nil {
		fail(response, http.StatusServiceUnavailable, err.Error())
		return
	}
	names := make([]string, len(found))
	scores := make([]number, 0, len(found)*len(own.labels))
	for index, row := range found {
		names[index] = own.labels[best(row)]
		for _, score := range row {
			scores = append(scores, number(score))
		}
	}
	outputs := own.outputs()
	outputs[0].Shape, outputs[0].Data = []int{len(rows), 1}, names
	outputs[1].Shape, outputs[1].Data = []int{len(rows), len(own.labels)}, scores
	writeNumbers(response, map[string]any{
		"model_name": request.PathValue("name"), "model_version": own.version, "id": asked.ID, "outputs": outputs,
	})
}

// outputs are those that the metadata names.
func (own *server) outputs() []outputTensor {
	return []outputTensor{
		{Name: "label", Shape: []int{-1, 1}, Datatype: "BYTES"},
		{Name: own.scoresName, Shape: []int{-1, len(own.labels)}, Datatype: "FP64"},
	}
}

func (own *server) answerModel(response http.ResponseWriter, request *http.Request) {
	writeJSON(response, http.StatusOK, map[string]any{
		"name": request.PathValue("name"), "versions": []string{own.version}, "platform": "zoo-server",
		"inputs":  []outputTensor{{Name: "pixels", Shape: []int{-1, pixelCount}, Datatype: "FP64"}},
		"outputs": own.outputs(),
	})
}

// answerPlain answers in JSON of its own form, as services do that somebody wrote for one consumer.
func (own *server) answerPlain(response http.ResponseWriter, request *http.Request) {
	var asked struct {
		Pixels []float64 `json:"pixels"`
	}
	err := json.NewDecoder(http.MaxBytesReader(response, request.Body, longestBody)).Decode(&asked)
	if err != nil || len(asked.Pixels) != pixelCount {
		fail(response, http.StatusBadRequest, "64 pixels are expected")
		return
	}
	found, err := own.predict([][]float64{asked.Pixels})
	if err != nil {
		fail(response, http.StatusServiceUnavailable, err.Error())
		return
	}
	digit := best(found[0])
	answer := map[string]any{"digit": own.labels[digit], "chance": number(found[0][digit])}
	if !own.encodedTwice {
		writeNumbers(response, answer)
		return
	}
	// What was already a text is made one again.
	encoded, err := json.Marshal(answer)
	if err != nil {
		fail(response, http.StatusInternalServerError, err.Error())
		return
	}
	writeJSON(response, http.StatusOK, string(encoded))
}
