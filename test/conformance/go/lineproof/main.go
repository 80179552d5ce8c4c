// Checks the proof of one line (docs/formats/proof.md) with nobody's code but the Go project's own:
// golang.org/x/mod/sumdb/note for the signature, sumdb/tlog for the path in the outer log, crypto/sha256 for the rest.
//
//	lineproof PROOF-FILE VKEY-FILE
//
// Prints one line of JSON and exits 0 if the line is proven; says at which step it is not, and exits 1. Debian:
// golang-go and golang-golang-x-mod-dev; build with GO111MODULE=off GOPATH=/usr/share/gocode.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if len(os.Args) != 3 {
		fail("usage: lineproof PROOF-FILE VKEY-FILE")
	}
	file, err := os.ReadFile(os.Args[1])
	check(err, "reading the proof")
	vkey, err := os.ReadFile(os.Args[2])
	check(err, "reading the key")
	verifier, err := note.NewVerifier(strings.TrimSpace(string(vkey)))
	check(err, "reading the key")

	outer := parseOuter(file)
	tree := openCheckpoint(outer.checkpoint, verifier)
	inner := parseInner(outer.extra)

	// The record is in the batch.
	salted := append(append([]byte{0}, inner.salt...), inner.record...)
	root := innerRoot(sha256.Sum256(salted), inner.line, inner.lines, inner.path)
	batch := parseBatch(inner.entry)
	if batch.root != hex.EncodeToString(root[:]) {
		fail("line: the record does not lead to the root in the outer entry")
	}
	if batch.lines != inner.lines {
		fail("entry: it has %d lines, the proof says %d", batch.lines, inner.lines)
	}
	// The batch is in the log.
	err = tlog.CheckRecord(outer.path, tree.N, tree.Hash, outer.index, tlog.RecordHash(inner.entry))
	check(err, "log")

	found, err := json.Marshal(map[string]interface{}{
		"address": fmt.Sprintf("%d:%d", outer.index, inner.line),
		"size":    tree.N,
		"raw":     rawOf(inner.record),
	})
	check(err, "printing")
	fmt.Println(string(found))
}

type outerProof struct {
	extra      []byte
	index      int64
	path       tlog.RecordProof
	checkpoint []byte
}

// c2sp.org/tlog-proof@v1
func parseOuter(file []byte) outerProof {
	split := bytes.Index(file, []byte("\n\n"))
	if split < 0 {
		fail("form: no empty line before the checkpoint")
	}
	lines := strings.Split(string(file[:split]), "\n")
	if len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		fail("form: not a tlog-proof")
	}
	proof := outerProof{
		extra:      base64Of(value(lines[1], "extra")),
		index:      decimal(value(lines[2], "index")),
		checkpoint: file[split+2:],
	}
	for _, line := range lines[3:] {
		var hash tlog.Hash
		if copy(hash[:], base64Of(line)) != tlog.HashSize {
			fail("form: a hash of the path is too short")
		}
		proof.path = append(proof.path, hash)
	}
	return proof
}

type innerProof struct {
	line, lines         int64
	salt, entry, record []byte
	path                [][32]byte
}

// docs/formats/proof.md, "The inner part".
func parseInner(rest []byte) innerProof {
	next := func() string {
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			fail("form: the inner part ends within a line")
		}
		line := string(rest[:end])
		rest = rest[end+1:]
		return line
	}
	piece := func(line string, name string) []byte {
		length := decimal(value(line, name))
		if length > int64(len(rest)) {
			fail("form: the inner part ends within its %s", name)
		}
		bytes := rest[:length]
		rest = rest[length:]
		return bytes
	}
	if next() != "holdfast.line-proof/v1" {
		fail("form: no inner part of a line")
	}
	var proof innerProof
	numbers := strings.Split(value(next(), "line"), " ")
	if len(numbers) != 2 {
		fail("form: line")
	}
	proof.line, proof.lines = decimal(numbers[0]), decimal(numbers[1])
	proof.salt = hexOf(value(next(), "salt"), 16)
	line := next()
	for ; strings.HasPrefix(line, "node "); line = next() {
		var node [32]byte
		copy(node[:], hexOf(value(line, "node"), 32))
		proof.path = append(proof.path, node)
	}
	proof.entry = piece(line, "entry")
	proof.record = piece(next(), "record")
	if len(rest) > 0 {
		fail("form: bytes after the record")
	}
	return proof
}

// RFC 6962 §2.1.1, top down: the root of the tree of `size` leaves in which `leaf` is at `index`.
func innerRoot(leaf [32]byte, index, size int64, path [][32]byte) [32]byte {
	if index >= size {
		fail("line: number %d of %d", index, size)
	}
	if size == 1 {
		if len(path) != 0 {
			fail("line: the path is too long")
		}
		return leaf
	}
	if len(path) == 0 {
		fail("line: the path is too short")
	}
	split := int64(1)
	for split*2 < size {
		split *= 2
	}
	last, below := path[len(path)-1], path[:len(path)-1]
	if index < split {
		return node(innerRoot(leaf, index, split, below), last)
	}
	return node(last, innerRoot(leaf, index-split, size-split, below))
}

func node(left, right [32]byte) [32]byte {
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}

type batchEntry struct {
	root  string
	lines int64
}

// docs/formats/vault.md, "Outer entry".
func parseBatch(entry []byte) batchEntry {
	lines := strings.Split(string(entry), "\n")
	if len(lines) < 4 || lines[0] != "holdfast.batch/v1" {
		fail("entry: not a batch")
	}
	return batchEntry{root: value(lines[2], "root"), lines: decimal(value(lines[3], "lines"))}
}

// The raw bytes of a record: what is left after its head (docs/formats/record.md).
func rawOf(record []byte) []byte {
	if len(record) < 30 || int(binary.BigEndian.Uint32(record)) != len(record)-4 || record[4] != 1 {
		fail("record: not one record")
	}
	at := 24
	for i := 0; i < 4 && at < len(record); i++ {
		at += 1 + int(record[at])
	}
	if at+2 > len(record) {
		fail("record: its head leaves it")
	}
	at += 2 + int(binary.BigEndian.Uint16(record[at:]))
	if at > len(record) {
		fail("record: its head leaves it")
	}
	return record[at:]
}

func openCheckpoint(msg []byte, verifier note.Verifier) tlog.Tree {
	opened, err := note.Open(msg, note.VerifierList(verifier))
	check(err, "signature")
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] != verifier.Name() {
		fail("signature: not a checkpoint of %s", verifier.Name())
	}
	tree := tlog.Tree{N: decimal(lines[1])}
	if copy(tree.Hash[:], base64Of(lines[2])) != tlog.HashSize {
		fail("form: the root is too short")
	}
	return tree
}

func value(line, name string) string {
	if !strings.HasPrefix(line, name+" ") {
		fail("form: no %q where one should be", name)
	}
	return line[len(name)+1:]
}

func decimal(text string) int64 {
	number, err := strconv.ParseInt(text, 10, 64)
	check(err, "form")
	if number < 0 || strconv.FormatInt(number, 10) != text {
		fail("form: %q is no decimal", text)
	}
	return number
}

func base64Of(text string) []byte {
	decoded, err := base64.StdEncoding.Strict().DecodeString(text)
	check(err, "form")
	return decoded
}

func hexOf(text string, size int) []byte {
	decoded, err := hex.DecodeString(text)
	check(err, "form")
	if len(decoded) != size || hex.EncodeToString(decoded) != text {
		fail("form: %q is not the hexadecimal of %d bytes", text, size)
	}
	return decoded
}

func check(err error, format string, args ...interface{}) {
	if err != nil {
		fail(fmt.Sprintf(format, args...)+": %v", err)
	}
}

func fail(format string, args ...interface{}) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}
