import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.Map;

/** Prints what came of one call as one line of JSON. */
final class Answer {
    interface Call {
        Map<String, ?> make(String server, String key, String file, String task) throws Exception;
    }

    interface Status {
        Integer of(Exception error);
    }

    /** Of the arguments SERVER KEY FILE TASK; ends the process, since clients keep threads of their own. */
    static void print(String[] arguments, Call call, Status status) throws Exception {
        Map<String, ?> answer;
        try {
            answer = call.make(arguments[0], arguments[1], arguments[2], arguments[3]);
        } catch (Exception error) {
            var told = new java.util.HashMap<String, Object>();
            told.put("status", status.of(error));
            told.put("message", String.valueOf(error.getMessage()));
            answer = Map.of("error", told);
        }
        System.out.println(JsonMapper.builder().build().writeValueAsString(answer));
        System.exit(0);
    }
}
