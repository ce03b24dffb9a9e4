//go:build race

package cortexkey

// The race detector allocates and empties pools, so allocations are not counted under it.
const raceEnabled = true
