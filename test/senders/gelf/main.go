// Sends each argument after the first two as a GELF message, with Graylog's own library for Go.
//
// usage: main udp-none|udp-gzip|udp-zlib|tcp HOST:PORT TEXT...
//
// Debian: golang-go and golang-github-graylog2-go-gelf-dev; build with GO111MODULE=off GOPATH=/usr/share/gocode.
package main

import (
	"log"
	"os"
	"time"

	"github.com/Graylog2/go-gelf/gelf"
)

func writer(way, address string) gelf.Writer {
	if way == "tcp" {
		w, err := gelf.NewTCPWriter(address)
		if err != nil {
			log.Fatal(err)
		}
		return w
	}
	w, err := gelf.NewUDPWriter(address)
	if err != nil {
		log.Fatal(err)
	}
	switch way {
	case "udp-gzip":
		w.CompressionType = gelf.CompressGzip
	case "udp-zlib":
		w.CompressionType = gelf.CompressZlib
	default:
		w.CompressionType = gelf.CompressNone
	}
	return w
}

func main() {
	w := writer(os.Args[1], os.Args[2])
	for _, text := range os.Args[3:] {
		m := gelf.Message{
			Version:  "1.1",
			Host:     "gelf-host",
			Short:    text,
			TimeUnix: float64(time.Now().UnixNano()) / 1e9,
			Level:    6,
			Extra:    map[string]interface{}{"_app": "gelf-sender"},
		}
		if err := w.WriteMessage(&m); err != nil {
			log.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
}
