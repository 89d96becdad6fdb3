package main

import (
	"errors"
	"time"
)

var errNoConnection = errors.New("no connection to the feature store is free")

// store is where a model gets features from, somewhere else: each question takes its time, on a connection of a pool.
type store struct {
	connections chan struct{}
	// pause is how long a question takes at present: longer while its caches are cold.
	pause func() time.Duration
}

func newStore(connections int, pause func() time.Duration) *store {
	return &store{connections: make(chan struct{}, connections), pause: pause}
}

// ask asks so many questions, one after the other. Without a free connection it fails at once, as pools do that nobody has told to wait.
func (own *store) ask(questions int) error {
	select {
	case own.connections <- struct{}{}:
	default:
		return errNoConnection
	}
	defer func() { <-own.connections }()
	for range questions {
		time.Sleep(own.pause())
	}
	return nil
}
