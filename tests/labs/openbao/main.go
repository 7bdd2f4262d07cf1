// The real OpenBao server and its command line, for the lab: what `bao` itself runs, built from
// the module proxy. Nothing of Lastkey depends on it. With LAB_ENDS_WITH_STDIN set it ends as soon
// as its standard input does, so that no server outlives the test that started it.
package main

import (
	"io"
	"os"

	"github.com/openbao/openbao/command"
)

func main() {
	if os.Getenv("LAB_ENDS_WITH_STDIN") != "" {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(0)
		}()
	}
	os.Exit(command.Run(os.Args[1:]))
}
