import dev.langchain4j.data.audio.Audio;
import dev.langchain4j.exception.HttpException;
import dev.langchain4j.model.openai.OpenAiAudioTranscriptionModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

final class LangChain4j {
    public static void main(String[] arguments) throws Exception {
        Answer.print(arguments, LangChain4j::call, LangChain4j::status);
    }

    private static Map<String, ?> call(String server, String key, String file, String task) throws Exception {
        var model = OpenAiAudioTranscriptionModel.builder()
                .baseUrl(server + "/v1")
                .apiKey(key)
                .modelName("whisper-1")
                .build();
        var recording = Audio.builder()
                .binaryData(Files.readAllBytes(Path.of(file)))
                .mimeType("audio/wav")
                .build();
        return Map.of("text", model.transcribeToText(recording));
    }

    /** It wraps the answer's exception in one of its own. */
    private static Integer status(Exception error) {
        return error.getCause() instanceof HttpException refused ? Integer.valueOf(refused.statusCode()) : null;
    }
}
