// Checks a vault with nobody's code but the Go project's own: golang.org/x/mod/sumdb/note reads and verifies the
// signed checkpoints, golang.org/x/mod/sumdb/tlog reads the tiles and checks inclusion and consistency.
//
//	checker VAULT VKEY-FILE
//
// Prints one line of JSON and exits 0 if everything holds; says what does not, and exits 1. Debian: golang-go and
// golang-golang-x-mod-dev; build with GO111MODULE=off GOPATH=/usr/share/gocode.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Tiles of 2^8 hashes.
const tileHeight = 8

// More pairs of checkpoints than this are sampled: each with its successor and with the newest.
const maxPairs = 5000

func main() {
	if len(os.Args) != 3 {
		fail("usage: checker VAULT VKEY-FILE")
	}
	vault := os.Args[1]
	vkey, err := os.ReadFile(os.Args[2])
	check(err, "reading the key")
	verifier, err := note.NewVerifier(strings.TrimSpace(string(vkey)))
	check(err, "reading the key")

	published, err := os.ReadFile(filepath.Join(vault, "checkpoint"))
	check(err, "reading the checkpoint")
	newest := openCheckpoint(published, verifier, "checkpoint")
	hashes := tlog.TileHashReader(newest, &tileReader{vault})

	entries := checkInclusion(vault, newest, hashes)
	history := readHistory(vault, verifier)
	pairs := checkConsistency(history, newest, published, hashes)
	fmt.Printf("{\"size\":%d,\"entries\":%d,\"checkpoints\":%d,\"pairs\":%d}\n", newest.N, entries, len(history), pairs)
}

// A checkpoint is origin, size and root, one line each (C2SP tlog-checkpoint).
func openCheckpoint(msg []byte, verifier note.Verifier, where string) tlog.Tree {
	opened, err := note.Open(msg, note.VerifierList(verifier))
	check(err, where)
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] != verifier.Name() {
		fail("%s: not a checkpoint of %s", where, verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err, where)
	root, err := base64.StdEncoding.DecodeString(lines[2])
	check(err, where)
	if len(root) != tlog.HashSize {
		fail("%s: root of %d bytes", where, len(root))
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree
}

// tileReader reads tiles as tlog-tiles lays them out: "tile/0/x001/234", where tlog says "tile/8/0/x001/234".
type tileReader struct{ vault string }

func (r *tileReader) Height() int                             { return tileHeight }
func (r *tileReader) SaveTiles(tiles []tlog.Tile, _ [][]byte) {}
func (r *tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(r.vault, path))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// Every entry is in the tree of the checkpoint, at its place.
func checkInclusion(vault string, tree tlog.Tree, hashes tlog.HashReader) int64 {
	var index int64
	for bundle := int64(0); bundle*256 < tree.N; bundle++ {
		width := tree.N - bundle*256
		if width > 256 {
			width = 256
		}
		tile := tlog.Tile{H: tileHeight, L: 0, N: bundle, W: int(width)}
		path := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
		data, err := os.ReadFile(filepath.Join(vault, path))
		check(err, path)
		for len(data) > 0 {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				fail("%s: torn", path)
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			proof, err := tlog.ProveRecord(tree.N, index, hashes)
			check(err, "proving entry %d", index)
			err = tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(data[2:end]))
			check(err, "entry %d", index)
			data = data[end:]
			index++
		}
	}
	if index != tree.N {
		fail("%d entries under a checkpoint of %d", index, tree.N)
	}
	return index
}

type kept struct {
	tree tlog.Tree
	note []byte
}

// Every published checkpoint: (u16 length, note)* in the files of history/.
func readHistory(vault string, verifier note.Verifier) []kept {
	var history []kept
	err := filepath.Walk(filepath.Join(vault, "history"), func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		check(err, path)
		for len(data) > 0 {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				fail("%s: torn", path)
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			history = append(history, kept{openCheckpoint(data[2:end], verifier, path), data[2:end]})
			data = data[end:]
		}
		return nil
	})
	check(err, "reading the history")
	sort.Slice(history, func(i, j int) bool { return history[i].tree.N < history[j].tree.N })
	return history
}

// Every checkpoint is a beginning of every later one.
func checkConsistency(history []kept, newest tlog.Tree, published []byte, hashes tlog.HashReader) int {
	if len(history) == 0 || !bytes.Equal(history[len(history)-1].note, published) {
		fail("the history does not end with the published checkpoint")
	}
	pairs := 0
	for i, old := range history {
		for j := i + 1; j < len(history); j++ {
			if len(history)*len(history) > maxPairs && j != i+1 && j != len(history)-1 {
				continue
			}
			later := history[j].tree
			pairs++
			if old.tree.N == 0 {
				continue // Every tree continues the empty one.
			}
			proof, err := tlog.ProveTree(later.N, old.tree.N, hashes)
			check(err, "proving that %d continues %d", later.N, old.tree.N)
			err = tlog.CheckTree(proof, later.N, later.Hash, old.tree.N, old.tree.Hash)
			check(err, "%d does not continue %d", later.N, old.tree.N)
		}
	}
	return pairs
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
