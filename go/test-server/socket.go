package main

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Frames of RFC 6455, section 5.2: the last of a message, not masked, as servers send them.
const (
	textFrame  = 0x81
	closeFrame = 0x88
	// What is appended to the client's key, section 4.2.2.
	acceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
	normalEnd    = 1000
)

func writeFrame(to *bufio.ReadWriter, kind byte, payload []byte) error {
	// The next form of a length would begin at 126 bytes; nothing here is as long.
	if len(payload) > 125 {
		return fmt.Errorf("a frame of %d bytes is too long", len(payload))
	}
	if _, err := to.Write(append([]byte{kind, byte(len(payload))}, payload...)); err != nil {
		return err
	}
	return to.Flush()
}

// answerSocket speaks WebSocket for `seconds` seconds: the messages are those of a stream, then it closes in good order.
func (own *server) answerSocket(response http.ResponseWriter, request *http.Request) {
	length, err := durationOf(request, "seconds", time.Second, 60*time.Second)
	if err != nil {
		fail(response, http.StatusBadRequest, err.Error())
		return
	}
	key := request.Header.Get("sec-websocket-key")
	if !strings.EqualFold(request.Header.Get("upgrade"), "websocket") || key == "" {
		response.Header().Set("upgrade", "websocket")
		fail(response, http.StatusUpgradeRequired, "this is for WebSocket clients")
		return
	}
	connection, buffered, err := http.NewResponseController(response).Hijack()
	if err != nil {
		fail(response, http.StatusInternalServerError, err.Error())
		return
	}
	own.sockets.Add(1)
	defer own.sockets.Done()
	defer connection.Close()
	accept := sha1.Sum([]byte(key + acceptSuffix))
	_, _ = fmt.Fprintf(buffered, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: %s\r\n\r\n", base64.StdEncoding.EncodeToString(accept[:]))
	total := max(1, int(length/streamInterval))
	for index := 1; index <= total; index++ {
		time.Sleep(streamInterval)
		data, err := json.Marshal(streamEvent{Version: own.version, Index: index, Of: total})
		if err != nil || writeFrame(buffered, textFrame, data) != nil {
			return
		}
	}
	if writeFrame(buffered, closeFrame, binary.BigEndian.AppendUint16(nil, normalEnd)) != nil {
		return
	}
	// The client says goodbye, too; closing before would cut what is still on its way.
	_ = connection.SetReadDeadline(time.Now().Add(5 * time.Second))
	_, _ = io.Copy(io.Discard, buffered)
}
