package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

const mostTokens = 256

type chatRequest struct {
	Model     string `json:"model"`
	Stream    bool   `json:"stream"`
	MaxTokens int    `json:"max_tokens"`
	Messages  []struct {
		Content string `json:"content"`
	} `json:"messages"`
}

type chatDelta struct {
	Content string `json:"content,omitempty"`
}

type chatChoice struct {
	Index        int        `json:"index"`
	Delta        *chatDelta `json:"delta,omitempty"`
	Message      *chatDelta `json:"message,omitempty"`
	FinishReason *string    `json:"finish_reason"`
}

type chatAnswer struct {
	Object  string       `json:"object"`
	Model   string       `json:"model"`
	Choices []chatChoice `json:"choices"`
}

// answerChat continues the last message, as the API of OpenAI has it. Each word takes the time of one question to the store.
func (own *server) answerChat(response http.ResponseWriter, request *http.Request) {
	var asked chatRequest
	if err := json.NewDecoder(http.MaxBytesReader(response, request.Body, longestBody)).Decode(&asked); err != nil || len(asked.Messages) == 0 {
		fail(response, http.StatusBadRequest, "a request with messages is expected")
		return
	}
	said := strings.Fields(asked.Messages[len(asked.Messages)-1].Content)
	count := min(max(1, asked.MaxTokens), mostTokens)
	next := func() (string, error) {
		if err := own.store.ask(1); err != nil {
			return "", err
		}
		word := own.speaker.word(said)
		said = append(said, word)
		return word + " ", nil
	}
	length := "length"
	if !asked.Stream {
		whole := ""
		for range count {
			word, err := next()
			if err != nil {
				fail(response, http.StatusServiceUnavailable, err.Error())
				return
			}
			whole += word
		}
		choice := chatChoice{Message: &chatDelta{Content: whole}, FinishReason: &length}
		writeJSON(response, http.StatusOK, chatAnswer{Object: "chat.completion", Model: asked.Model, Choices: []chatChoice{choice}})
		return
	}
	response.Header().Set("content-type", "text/event-stream")
	control := http.NewResponseController(response)
	send := func(choice chatChoice) bool {
		data, err := json.Marshal(chatAnswer{Object: "chat.completion.chunk", Model: asked.Model, Choices: []chatChoice{choice}})
		if err != nil {
			return false
		}
		if _, err := fmt.Fprintf(response, "data: %s\n\n", data); err != nil {
			return false
		}
		return control.Flush() == nil
	}
	for range count {
		word, err := next()
		if err != nil || !send(chatChoice{Delta: &chatDelta{Content: word}}) {
			// What has begun cannot be a failure any more: the connection ends, and with it the answer.
			panic(http.ErrAbortHandler)
		}
	}
	if send(chatChoice{Delta: &chatDelta{}, FinishReason: &length}) {
		_, _ = fmt.Fprint(response, "data: [DONE]\n\n")
	}
}
