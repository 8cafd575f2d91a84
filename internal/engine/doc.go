// Package engine moves changes from one system to the other: observe what
// changed, let package reconcile decide, apply what was decided, remember it.
// See docs/ARCHITECTURE.md for one contact followed through these steps.
package engine
