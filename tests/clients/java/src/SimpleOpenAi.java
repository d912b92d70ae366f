import io.github.sashirestela.cleverclient.support.CleverClientException;
import io.github.sashirestela.openai.SimpleOpenAI;
import io.github.sashirestela.openai.domain.audio.AudioResponseFormat;
import io.github.sashirestela.openai.domain.audio.TranscriptionRequest;
import io.github.sashirestela.openai.domain.audio.TranscriptionRequest.TimestampGranularity;
import io.github.sashirestela.openai.domain.audio.TranslationRequest;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

final class SimpleOpenAi {
    public static void main(String[] arguments) throws Exception {
        Answer.print(arguments, SimpleOpenAi::call, SimpleOpenAi::status);
    }

    /** Of the answer, which lies in a cause of what the caller is thrown. */
    private static Integer status(Throwable error) {
        for (var cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof CleverClientException found && found.responseInfo().isPresent()) {
                return found.responseInfo().get().getStatusCode();
            }
        }
        return null;
    }

    private static Map<String, ?> call(String server, String key, String file, String task) {
        var audios = SimpleOpenAI.builder().baseUrl(server).apiKey(key).build().audios();
        var request = TranscriptionRequest.builder().file(Path.of(file)).model("whisper-1");
        switch (task) {
            case "json":
                return Map.of("text", audios.transcribe(request.build()).join().getText());
            case "words":
                request.responseFormat(AudioResponseFormat.VERBOSE_JSON)
                        .timestampGranularity(TimestampGranularity.WORD)
                        .timestampGranularity(TimestampGranularity.SEGMENT);
                var found = audios.transcribe(request.build()).join();
                var words = found.getWords().stream()
                        .map(word -> List.of(word.getWord(), word.getStart(), word.getEnd()))
                        .toList();
                return Map.of(
                        "text", found.getText(),
                        "words", words,
                        "language", found.getLanguage(),
                        "duration", found.getDuration());
            case "srt":
                request.responseFormat(AudioResponseFormat.SRT);
                return Map.of("text", audios.transcribePlain(request.build()).join());
            case "translation":
                var translation = TranslationRequest.builder().file(Path.of(file)).model("whisper-1");
                return Map.of("text", audios.translate(translation.build()).join().getText());
            default:
                throw new IllegalArgumentException(task);
        }
    }
}
