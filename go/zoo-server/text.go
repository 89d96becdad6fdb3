package main

import (
	_ "embed"
	"strings"
)

//go:embed text.txt
var text string

// speaker continues a text by the words that most often came after the last two: a language model of the smallest kind.
type speaker struct {
	next map[string]string
	any  string
}

func newSpeaker() *speaker {
	words := strings.Fields(text)
	counts := map[string]map[string]int{}
	for index := 2; index < len(words); index++ {
		context := words[index-2] + " " + words[index-1]
		if counts[context] == nil {
			counts[context] = map[string]int{}
		}
		counts[context][words[index]]++
	}
	own := &speaker{next: map[string]string{}, any: words[0]}
	for context, found := range counts {
		for word, count := range found {
			known := own.next[context]
			// Of equally frequent ones the first in the alphabet: the same text has the same model.
			if known == "" || count > found[known] || (count == found[known] && word < known) {
				own.next[context] = word
			}
		}
	}
	return own
}

// word is what comes after these.
func (own *speaker) word(said []string) string {
	if len(said) >= 2 {
		if found := own.next[said[len(said)-2]+" "+said[len(said)-1]]; found != "" {
			return found
		}
	}
	return own.any
}
