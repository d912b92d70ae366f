package main

import (
	"context"
	"errors"
	"os"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"whisper-operator.io/clients/answer"
)

func call(server, key, path, task string) (map[string]any, error) {
	ctx := context.Background()
	client := openai.NewClient(option.WithBaseURL(server+"/v1"), option.WithAPIKey(key))
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	params := openai.AudioTranscriptionNewParams{File: file, Model: openai.AudioModelWhisper1}
	switch task {
	case "json":
		found, err := client.Audio.Transcriptions.New(ctx, params)
		if err != nil {
			return nil, err
		}
		return map[string]any{"text": found.Text}, nil
	case "words":
		params.ResponseFormat = openai.AudioResponseFormatVerboseJSON
		params.TimestampGranularities = []string{"word", "segment"}
		found, err := client.Audio.Transcriptions.New(ctx, params)
		if err != nil {
			return nil, err
		}
		verbose := found.AsTranscriptionVerbose()
		words := [][]any{}
		for _, word := range verbose.Words {
			words = append(words, []any{word.Word, word.Start, word.End})
		}
		return map[string]any{
			"text": verbose.Text, "words": words, "language": verbose.Language, "duration": verbose.Duration,
		}, nil
	case "srt": // as the comment of New says
		params.ResponseFormat = openai.AudioResponseFormatSRT
		var text string
		if err := client.Post(ctx, "audio/transcriptions", params, &text); err != nil {
			return nil, err
		}
		return map[string]any{"text": text}, nil
	case "stream":
		stream := client.Audio.Transcriptions.NewStreaming(ctx, params)
		deltas, text := []string{}, ""
		for stream.Next() {
			switch event := stream.Current().AsAny().(type) {
			case openai.TranscriptionTextDeltaEvent:
				deltas = append(deltas, event.Delta)
			case openai.TranscriptionTextDoneEvent:
				text = event.Text
			}
		}
		return map[string]any{"deltas": deltas, "text": text}, stream.Err()
	case "translation":
		found, err := client.Audio.Translations.New(
			ctx, openai.AudioTranslationNewParams{File: file, Model: openai.AudioModelWhisper1},
		)
		if err != nil {
			return nil, err
		}
		return map[string]any{"text": found.Text}, nil
	}
	return nil, errors.New("unknown task " + task)
}

func status(err error) int {
	var refused *openai.Error
	if errors.As(err, &refused) {
		return refused.StatusCode
	}
	return 0
}

func main() { answer.Print(call, status) }
