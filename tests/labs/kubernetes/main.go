// The real Kubernetes API server, the etcd under it, and two of the controllers beside it, for the
// lab: what `kube-apiserver`, `etcd` and `kube-controller-manager` themselves run, built from the
// module proxy into one program. Nothing of Lastkey depends on it. With LAB_ENDS_WITH_STDIN set it
// ends as soon as its standard input does, so that no server outlives the test that started it.
package main

import (
	"io"
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	if os.Getenv("LAB_ENDS_WITH_STDIN") != "" {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(0)
		}()
	}
	program := ""
	if len(os.Args) > 1 {
		program = os.Args[1]
	}
	switch program {
	case "etcd":
		etcdmain.Main(os.Args[1:])
	case "controllers":
		controllers(os.Args[2:])
	default:
		os.Exit(cli.Run(app.NewAPIServerCommand()))
	}
}
