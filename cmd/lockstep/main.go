// Command lockstep keeps HubSpot and Salesforce in step.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/lockstep-sync/lockstep/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second ctrl-C ends the process at once
	os.Exit(cli.Run(ctx, os.Args[1:], cli.ProcessStreams()))
}
