// A log, and a reader of cosignatures, written with nobody's code but the Go project's own: golang.org/x/mod/sumdb/note
// reads the notes, golang.org/x/mod/sumdb/tlog makes the tree and its proofs. The x/mod note package knows Ed25519
// notes (0x01) alone, so the verifier of C2SP cosignatures (0x04) is here, with crypto/ed25519.
//
//	go-witness key NAME SKEY-FILE           makes a log's key; prints its vkey
//	go-witness log SKEY-FILE URL WITNESS    is the log: grows, asks the witness at URL for cosignatures, checks them
//	go-witness open NOTE LOG-VKEY WITNESS   checks a note that a witness remembers
//
// Prints one line of JSON and exits 0 if everything holds; says what does not, and exits 1. Debian: golang-go and
// golang-golang-x-mod-dev; build with GO111MODULE=off GOPATH=/usr/share/gocode.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	switch {
	case len(os.Args) == 4 && os.Args[1] == "key":
		skey, vkey, err := note.GenerateKey(rand.Reader, os.Args[2])
		check(err, "making a key")
		check(os.WriteFile(os.Args[3], []byte(skey), 0o600), "writing the key")
		fmt.Println(vkey)
	case len(os.Args) == 5 && os.Args[1] == "log":
		skey, err := os.ReadFile(os.Args[2])
		check(err, "reading the key")
		beLog(string(skey), os.Args[3], newCosigner(os.Args[4]))
	case len(os.Args) == 5 && os.Args[1] == "open":
		msg, err := os.ReadFile(os.Args[2])
		check(err, "reading the note")
		log, err := note.NewVerifier(os.Args[3])
		check(err, "the log's key")
		witness := newCosigner(os.Args[4])
		opened, err := note.Open(msg, note.VerifierList(log, witness))
		check(err, "opening the note")
		if len(opened.Sigs) != 2 {
			fail("%d signatures are valid, not 2", len(opened.Sigs))
		}
		fmt.Printf("{\"size\":%s}\n", strings.Split(opened.Text, "\n")[1])
	default:
		fail("usage: see the source")
	}
}

// cosigner verifies C2SP tlog-cosignature v1 signatures: it is a note.Verifier of signature type 0x04.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
	// The time of the signature that was verified last.
	time uint64
}

func newCosigner(vkey string) *cosigner {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		fail("the witness's key is not name+id+key")
	}
	data, err := base64.StdEncoding.DecodeString(parts[2])
	check(err, "the witness's key")
	if len(data) != 33 || data[0] != 0x04 {
		fail("the witness's key is not of type 0x04")
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), data...))
	if hex.EncodeToString(sum[:4]) != parts[1] {
		fail("the id of the witness's key does not match")
	}
	return &cosigner{name: parts[0], hash: binary.BigEndian.Uint32(sum[:4]), key: data[1:]}
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }
func (c *cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	c.time = binary.BigEndian.Uint64(sig)
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", c.time, msg)
	return ed25519.Verify(c.key, []byte(signed), sig[8:])
}

// tree keeps the hashes of a log as tlog stores them.
type tree struct {
	hashes []tlog.Hash
	size   int64
}

func (t *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		found[i] = t.hashes[index]
	}
	return found, nil
}

func (t *tree) grow(to int64, leaf string) {
	for ; t.size < to; t.size++ {
		more, err := tlog.StoredHashes(t.size, []byte(fmt.Sprintf("%s %d", leaf, t.size)), t)
		check(err, "growing")
		t.hashes = append(t.hashes, more...)
	}
}

func (t *tree) checkpoint(size int64, signer note.Signer) []byte {
	root, err := tlog.TreeHash(size, t)
	check(err, "root")
	text := fmt.Sprintf("%s\n%d\n%s\n", signer.Name(), size, root)
	msg, err := note.Sign(&note.Note{Text: text}, signer)
	check(err, "signing")
	return msg
}

func (t *tree) proof(old, size int64) string {
	if old == 0 || old == size {
		return ""
	}
	proof, err := tlog.ProveTree(size, old, t)
	check(err, "proving")
	lines := ""
	for _, hash := range proof {
		lines += hash.String() + "\n"
	}
	return lines
}

func beLog(skey, url string, witness *cosigner) {
	signer, err := note.NewSigner(skey)
	check(err, "the log's key")
	honest, forked := &tree{}, &tree{}
	honest.grow(600, "entry")
	forked.grow(4, "entry")
	forked.grow(600, "other")
	sizes := []int64{1, 2, 3, 4, 7, 8, 9, 64, 65, 255, 256, 257, 511, 512, 600, 600}
	var old int64
	for _, size := range sizes {
		msg := honest.checkpoint(size, signer)
		status, _, body := add(url, old, honest.proof(old, size), msg)
		expect("continuing", status, 200)
		cosigned(append(msg, body...), signer, witness)
		if size > 4 && size < 600 {
			status, _, _ = add(url, size, forked.proof(size, 600), forked.checkpoint(600, signer))
			expect("another history", status, 422)
		}
		status, kind, body := add(url, size-1, honest.proof(size-1, 600), honest.checkpoint(600, signer))
		expect("an old size", status, 409)
		if kind != "text/x.tlog.size" || string(body) != fmt.Sprintf("%d\n", size) {
			fail("409 came with %q: %q", kind, body)
		}
		old = size
	}
	status, _, _ := add(url, 600, "", []byte(strings.Replace(string(honest.checkpoint(600, signer)), "\n600\n", "\n601\n", 1)))
	expect("a text that was not signed", status, 403)
	status, _, _ = add(url, 600, "", forked.checkpoint(600, signer))
	expect("another root at the same size", status, 409)
	status, _, _ = add(url, 600, "", honest.checkpoint(600, signer))
	expect("after two roots at one size", status, 503)
	fmt.Printf("{\"cosigned\":%d}\n", len(sizes))
}

// The checkpoint with the witness's lines after it is a note that both have signed, now.
func cosigned(msg []byte, signer note.Signer, witness *cosigner) {
	log := &logVerifier{signer}
	opened, err := note.Open(msg, note.VerifierList(log, witness))
	check(err, "opening the cosigned note")
	if len(opened.Sigs) != 2 || opened.Sigs[1].Name != witness.name {
		fail("the witness's signature is not on the note")
	}
	if age := time.Now().Unix() - int64(witness.time); age < -60 || age > 60 {
		fail("cosigned %d seconds ago", age)
	}
}

// The log signs again to verify: Ed25519 gives the same bytes.
type logVerifier struct{ signer note.Signer }

func (v *logVerifier) Name() string    { return v.signer.Name() }
func (v *logVerifier) KeyHash() uint32 { return v.signer.KeyHash() }
func (v *logVerifier) Verify(msg, sig []byte) bool {
	again, err := v.signer.Sign(msg)
	return err == nil && bytes.Equal(again, sig)
}

func add(url string, old int64, proof string, msg []byte) (int, string, []byte) {
	body := append([]byte(fmt.Sprintf("old %d\n%s\n", old, proof)), msg...)
	reply, err := http.Post(url, "text/plain", bytes.NewReader(body))
	check(err, "asking the witness")
	defer reply.Body.Close()
	said, err := io.ReadAll(reply.Body)
	check(err, "reading its answer")
	return reply.StatusCode, reply.Header.Get("Content-Type"), said
}

func expect(what string, status, wanted int) {
	if status != wanted {
		fail("%s: status %d, expected %d", what, status, wanted)
	}
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
