// Package answer prints what came of one call as one line of JSON: PROGRAM SERVER KEY FILE TASK.
package answer

import (
	"encoding/json"
	"os"
)

// Call makes the call for a task; a nil error with a nil answer is a task that it does not know.
type Call func(server, key, file, task string) (map[string]any, error)

// Print makes the call and prints its answer; status is the HTTP status of an error, or 0.
func Print(call Call, status func(error) int) {
	found, err := call(os.Args[1], os.Args[2], os.Args[3], os.Args[4])
	if err != nil {
		found = map[string]any{"error": map[string]any{"status": status(err), "message": err.Error()}}
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		panic(err)
	}
}
