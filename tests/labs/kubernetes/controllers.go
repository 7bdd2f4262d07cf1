package main

import (
	"context"
	"log"
	"os"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/keyutil"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller/clusterroleaggregation"
	tokens "k8s.io/kubernetes/pkg/controller/serviceaccount"
	"k8s.io/kubernetes/pkg/serviceaccount"
)

// Runs the controllers that fill aggregated roles and legacy token secrets: address, CA file, token,
// and the key that service accounts' tokens are signed with.
func controllers(args []string) {
	if len(args) != 4 {
		log.Fatal("controllers: address, CA file, token, key file")
	}
	client, err := kubernetes.NewForConfig(&rest.Config{
		Host:            args[0],
		BearerToken:     args[2],
		TLSClientConfig: rest.TLSClientConfig{CAFile: args[1]},
	})
	fatal(err)
	key, err := keyutil.PrivateKeyFromFile(args[3])
	fatal(err)
	generator, err := serviceaccount.JWTTokenGenerator(serviceaccount.LegacyIssuer, key)
	fatal(err)
	ca, err := os.ReadFile(args[1])
	fatal(err)
	ctx := context.Background()
	shared := informers.NewSharedInformerFactory(client, 0)
	aggregation := clusterroleaggregation.NewClusterRoleAggregation(
		shared.Rbac().V1().ClusterRoles(), client.RbacV1())
	legacy, err := tokens.NewTokensController(klog.Background(), shared.Core().V1().ServiceAccounts(),
		shared.Core().V1().Secrets(), client,
		tokens.TokensControllerOptions{TokenGenerator: generator, RootCA: ca})
	fatal(err)
	shared.Start(ctx.Done())
	go aggregation.Run(ctx, 2)
	legacy.Run(ctx, 2)
}

func fatal(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
