"""What is kept, found by the names that it was kept under: all of the cache that needs no model."""

from __future__ import annotations

from typing import IO

from whisper_runtime.engine.transcription import Options
from whisper_runtime.media.raw_audio import UnclearType, raw_audio
from whisper_runtime.media.source import HEAD
from whisper_runtime.service.audio_loading import AudioOptions, MediaFile
from whisper_runtime.service.model_info import ServedModel
from whisper_runtime.service.result_cache.content import Hit, KnownAudio, KnownResult
from whisper_runtime.service.result_cache.directives import CacheDirectives
from whisper_runtime.service.result_cache.keys import is_repeatable, result_key, upload_key
from whisper_runtime.service.result_cache.store import ResultStore


class KeptResults:
    """Use it in the event loop's thread."""

    def __init__(
        self, store: ResultStore, uploads: ResultStore, model: ServedModel, *, decoder: str, is_shared: bool
    ) -> None:
        """`uploads`: for what the decoder made of them; it may be `store`. `decoder`: which one that is.

        `is_shared`: clients get what was transcribed for others.
        """
        self._store, self._uploads, self._model = store, uploads, model
        self._decoder, self._is_shared = decoder, is_shared

    def owner(self, client: str) -> str:
        """Whose results the client gets."""
        return "" if self._is_shared else client

    def keeps(self, options: Options) -> bool:
        """Whether results by these options are kept: no samples, and none before the model's digest is known."""
        return is_repeatable(options) and self._model.info.digest is not None

    def key(self, client: str, digest: str, options: Options, audio_options: AudioOptions) -> str:
        """Of the client's result for the audio of that digest."""
        return result_key(self.owner(client), digest, options, audio_options, self._model.info)

    def upload_key(
        self, client: str, file_digest: str, file: MediaFile, options: Options, audio_options: AudioOptions
    ) -> str | None:
        """Of what the decoder makes of the file; of `file` the first HEAD bytes are read. None: its type is unclear."""
        try:
            raw = raw_audio(file.declared, _head(file.content))
        except UnclearType:
            return None
        return upload_key(self.owner(client), file_digest, raw, options, audio_options, self._decoder)

    async def audio(self, upload: str) -> KnownAudio | None:
        """The audio of an upload; None: it was not decoded before."""
        stored = await self._uploads.get(upload)
        if stored is None:
            return None
        try:
            return KnownAudio.from_json(stored.content)
        except ValueError:  # of a process of another version
            return None

    async def keep_audio(self, upload: str, audio: KnownAudio) -> None:
        await self._uploads.put(upload, audio.to_json())

    async def hit(self, key: str, directives: CacheDirectives) -> Hit | None:
        """The result of that key, where the directives take it; None: none is kept, or they do not."""
        stored = await self._store.get(key)
        if stored is None or not directives.takes(stored.age, stored.seconds_left):
            return None
        try:
            result = KnownResult.from_json(stored.content)
        except ValueError:  # of a process of another version
            return None
        return Hit(result, stored.age, stored.seconds_left)


def _head(content: IO[bytes]) -> bytes:
    content.seek(0)
    head = content.read(HEAD)
    content.seek(0)
    return head
