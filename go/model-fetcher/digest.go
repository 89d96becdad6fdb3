package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

func verify(folder, wanted string) error {
	actual, err := digestOf(folder)
	if err != nil {
		return err
	}
	if actual != strings.TrimPrefix(wanted, "sha256:") {
		return fmt.Errorf("%wThe model in %s has the digest sha256:%s, but the release says %s.", errOtherModel, folder, actual, wanted)
	}
	fmt.Printf("The model in %s has the digest %s, as the release says.\n", folder, wanted)
	return nil
}

// digestOf is the SHA-256 of the only file, or of the list that `find -L . -type f | LC_ALL=C sort | xargs sha256sum` writes.
func digestOf(folder string) (string, error) {
	if about, err := os.Stat(folder); err == nil && !about.IsDir() {
		return digestOfFile(folder)
	}
	names, err := filesIn(folder)
	if err != nil {
		return "", err
	}
	if len(names) == 0 {
		return "", fmt.Errorf("%wThe model has no files in %s.", errOtherModel, folder)
	}
	if len(names) == 1 {
		return digestOfFile(filepath.Join(folder, names[0]))
	}
	sort.Slice(names, func(a, b int) bool { return "./"+names[a] < "./"+names[b] })
	list := sha256.New()
	for _, name := range names {
		digest, err := digestOfFile(filepath.Join(folder, name))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(list, "%s  ./%s\n", digest, name)
	}
	return hex.EncodeToString(list.Sum(nil)), nil
}

// filesIn lists the files of a model. Links within it are followed, as the server will follow them; what leads nowhere, out of
// the model or round in a circle is no part of it.
func filesIn(folder string) ([]string, error) {
	root, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return nil, err
	}
	about, err := os.Stat(root)
	if err != nil {
		return nil, err
	}
	walk := walk{folder: folder, root: root}
	err = walk.enter("", []os.FileInfo{about})
	return walk.names, err
}

type walk struct {
	folder, root string
	names        []string
}

// enter lists a folder, given those that it is in, the innermost last.
func (w *walk) enter(folder string, within []os.FileInfo) error {
	entries, err := os.ReadDir(filepath.Join(w.root, folder))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name := filepath.Join(folder, entry.Name())
		if entry.Type()&os.ModeSymlink != 0 {
			target, err := filepath.EvalSymlinks(filepath.Join(w.root, name))
			if err != nil {
				return w.refuse(name, "leads nowhere")
			}
			if target != w.root && !strings.HasPrefix(target, w.root+string(filepath.Separator)) {
				return w.refuse(name, "leads out of the model")
			}
		}
		about, err := os.Stat(filepath.Join(w.root, name))
		if err != nil {
			return err
		}
		switch {
		case about.Mode().IsRegular():
			w.names = append(w.names, name)
		case about.IsDir():
			for _, outer := range within {
				if os.SameFile(outer, about) {
					return w.refuse(name, "leads round in a circle")
				}
			}
			if err := w.enter(name, append(within[:len(within):len(within)], about)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *walk) refuse(name, why string) error {
	return fmt.Errorf("%wThe model in %s has no digest: the link %s %s.", errOtherModel, w.folder, name, why)
}

func digestOfFile(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	digest := sha256.New()
	if _, err := io.Copy(digest, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(digest.Sum(nil)), nil
}
