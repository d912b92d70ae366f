import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.errors.OpenAIServiceException;
import com.openai.models.audio.AudioModel;
import com.openai.models.audio.AudioResponseFormat;
import com.openai.models.audio.transcriptions.TranscriptionCreateParams;
import com.openai.models.audio.transcriptions.TranscriptionCreateParams.TimestampGranularity;
import com.openai.models.audio.transcriptions.TranscriptionStreamEvent;
import com.openai.models.audio.translations.TranslationCreateParams;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

final class OpenAiJava {
    public static void main(String[] arguments) throws Exception {
        Answer.print(
                arguments,
                OpenAiJava::call,
                error -> error instanceof OpenAIServiceException refused ? refused.statusCode() : null);
    }

    private static Map<String, ?> call(String server, String key, String file, String task) {
        var audio = OpenAIOkHttpClient.builder().baseUrl(server + "/v1").apiKey(key).build().audio();
        var params = TranscriptionCreateParams.builder().file(Path.of(file)).model(AudioModel.WHISPER_1);
        switch (task) {
            case "json":
                return Map.of("text", audio.transcriptions().create(params.build()).asTranscription().text());
            case "words":
                params.responseFormat(AudioResponseFormat.VERBOSE_JSON)
                        .timestampGranularities(List.of(TimestampGranularity.WORD, TimestampGranularity.SEGMENT));
                var found = audio.transcriptions().create(params.build()).asVerbose();
                var words = found.words().orElseThrow().stream()
                        .map(word -> List.of(word.word(), word.start(), word.end()))
                        .toList();
                return Map.of(
                        "text", found.text(), "words", words, "language", found.language(), "duration", found.duration());
            case "srt":
                params.responseFormat(AudioResponseFormat.SRT);
                return Map.of("text", audio.transcriptions().create(params.build()).asTranscription().text());
            case "stream":
                var deltas = new ArrayList<String>();
                var text = new StringBuilder();
                try (var stream = audio.transcriptions().createStreaming(params.build())) {
                    for (TranscriptionStreamEvent event : (Iterable<TranscriptionStreamEvent>) stream.stream()::iterator) {
                        event.transcriptTextDelta().ifPresent(delta -> deltas.add(delta.delta()));
                        event.transcriptTextDone().ifPresent(done -> text.append(done.text()));
                    }
                }
                return Map.of("deltas", deltas, "text", text.toString());
            case "translation":
                var translated = TranslationCreateParams.builder().file(Path.of(file)).model(AudioModel.WHISPER_1);
                return Map.of("text", audio.translations().create(translated.build()).asTranslation().text());
            default:
                throw new IllegalArgumentException(task);
        }
    }
}
