package main

import (
	"context"
	"errors"

	"github.com/sashabaranov/go-openai"

	"whisper-operator.io/clients/answer"
)

func call(server, key, path, task string) (map[string]any, error) {
	ctx := context.Background()
	config := openai.DefaultConfig(key)
	config.BaseURL = server + "/v1"
	client := openai.NewClientWithConfig(config)
	request := openai.AudioRequest{Model: openai.Whisper1, FilePath: path}
	make := client.CreateTranscription
	switch task {
	case "words":
		request.Format = openai.AudioResponseFormatVerboseJSON
		request.TimestampGranularities = []openai.TranscriptionTimestampGranularity{
			openai.TranscriptionTimestampGranularityWord, openai.TranscriptionTimestampGranularitySegment,
		}
	case "srt":
		request.Format = openai.AudioResponseFormatSRT
	case "translation":
		make = client.CreateTranslation
	}
	found, err := make(ctx, request)
	if err != nil {
		return nil, err
	}
	answer := map[string]any{"text": found.Text}
	if task == "words" {
		words := [][]any{}
		for _, word := range found.Words {
			words = append(words, []any{word.Word, word.Start, word.End})
		}
		answer["words"], answer["language"], answer["duration"] = words, found.Language, found.Duration
	}
	return answer, nil
}

func status(err error) int {
	var refused *openai.APIError
	if errors.As(err, &refused) {
		return refused.HTTPStatusCode
	}
	return 0
}

func main() { answer.Print(call, status) }
