//go:build !race

package cortexkey

const raceEnabled = false
