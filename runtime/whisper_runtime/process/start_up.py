"""The steps by which a model comes up, in their order; each is a method of StartUp, and the engine's thread runs them.

1. `fetch`: the checkpoint is in the cache, or in a mounted image. A lone container starts with a name alone.
2. `load`: the weights are on the device, and the configured language is one of theirs.
3. `load_diarizer`: where speakers are told apart, the speaker encoder is in memory. It is a file of some MB.
4. `probe_egress`: in the background, so that its outcome is in the metrics by the time the pod is ready.
5. `prove`: the golden clip comes out right; to transcribe it also warms the device up. Where speakers are told apart,
   the two of a dialogue are.
6. `check_digest`: in the background, for a file of gigabytes takes seconds; `verify` waits for the digest.

Then the engine is READY, and requests are served. What a step raises ends the process, with the sentence that it holds.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Final

import torch

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.models import checkpoint_path, encoder_path
from whisper_runtime.diarization.interface import Diarizer, SpeakerBounds
from whisper_runtime.engine.batching.scheduler import Scheduler, build_scheduler
from whisper_runtime.engine.batching.worker import Transcribe
from whisper_runtime.engine.interface import CannotLoad
from whisper_runtime.engine.model.bfloat16 import processor, relative_speed
from whisper_runtime.engine.model.file_folder import NotLoadable
from whisper_runtime.engine.model.load import WhisperModel, load
from whisper_runtime.engine.model.memory import give_back
from whisper_runtime.fetch.errors import FetchError
from whisper_runtime.fetch.one_model import mounted_model
from whisper_runtime.fetch.source_folder import checkpoint_sha256, folder_files
from whisper_runtime.media import self_test, two_voices
from whisper_runtime.metrics.served import Metrics
from whisper_runtime.process.digest_check import WrongFile, check_digest
from whisper_runtime.process.egress_probe import probe_egress
from whisper_runtime.service.languages import wrong_default
from whisper_runtime.service.model_info import ServedModel, promised_digest, promised_encoder_digest

CPUINFO: Final = Path("/proc/cpuinfo")

log = logging.getLogger(__name__)


class CannotStart(Exception):
    """The process cannot do its work, and a restart after a change is the remedy; the message says which change."""


class StartUp:
    def __init__(
        self,
        config: RuntimeConfig,
        model: ServedModel,
        metrics: Metrics,
        on_wrong: Callable[[WrongFile], None],
        diarizer: Future[Diarizer] | None = None,
    ) -> None:
        """`model` and `metrics` get what the steps find out, `on_wrong` that the file is not what it should be.

        `diarizer` gets what tells speakers apart; None: nothing does.
        """
        self._config = config
        self._model = model
        self._metrics = metrics
        self._on_wrong, self._diarizer = on_wrong, diarizer
        self._describe: Callable[[str | None], None] = lambda digest: None
        """Puts the loaded model into the metrics, with its digest."""

    def bring_up(self) -> Scheduler:
        """All steps up to the proof; the scheduler is ready for it. Raises CannotStart, or CannotLoad."""
        path = checkpoint(self._config)
        self.fetch(path)
        loaded = self.load(path)
        self.load_diarizer()
        probe_egress(os.environ, self._metrics.process.egress)
        return build_scheduler(loaded, self._metrics.engine, self._config.max_batch_size)

    def fetch(self, path: Path) -> None:
        """Has the checkpoint at `path`, which is fetched where it is not there; raises CannotStart.

        `fetch` gives no file its name whose digest is wrong. A file that is given by its path may be any, unless the
        configuration says its digest, too: then it is checked here, as is one in a mounted image.
        """
        if self._config.model_image_dir:
            self._check_digest_of(path, promised_digest(self._config), "spec.model.source.sha256")
        elif promised_digest(self._config) is None:
            self._check_given(path)
        elif not path.exists():
            from whisper_runtime.fetch.fetch import fetch  # and with it a client of HTTP; as a rule, the file is there

            with self._metrics.process.phase("fetch"):
                report = fetch(self._config)
            if not path.exists():
                raise CannotStart(f"{report.reason}: {report.message}")

    def load(self, path: Path) -> WhisperModel:
        """The weights at `path`, on the device; raises CannotLoad, also for a language that they do not know."""
        with self._metrics.process.phase("load"):
            loaded = load(path, self._config.device, self._config.compute_type)
            give_back()
        if problem := wrong_default(self._config.language, loaded.abilities.languages):
            raise CannotLoad(problem)
        self._model.has_loaded(loaded.abilities, loaded.precision)
        on_gpu = loaded.device.type == "cuda"
        device = torch.cuda.get_device_name(loaded.device) if on_gpu else loaded.device.type
        memory = torch.cuda.memory_allocated if on_gpu else lambda: 0
        self._describe = lambda digest: self._metrics.process.serves(digest, device, loaded.precision, memory)
        self._describe(self._model.info.digest)
        if loaded.precision == "bfloat16" and not on_gpu:
            self._measure_bfloat16()
        return loaded

    def load_diarizer(self) -> None:
        """What tells speakers apart, where the configuration names a checkpoint for it; raises CannotLoad."""
        config = self._config
        if self._diarizer is None or config.diarization_model is None:
            return
        from whisper_runtime.diarization.load import load_diarizer

        with self._metrics.process.phase("load_diarizer"):
            path = encoder_path(config.model_dir, config.diarization_model, config.diarization_model_sha256)
            diarizer = load_diarizer(path)
        wanted = promised_encoder_digest(config)
        if wanted not in (None, diarizer.digest):
            message = f"the speaker encoder {path} has sha256 {diarizer.digest} instead of {wanted}"
            raise CannotLoad(f"{message}: delete the file, so that it is fetched again")
        self._model.has_diarizer(diarizer.digest)
        self._diarizer.set_result(diarizer)

    def prove_diarizer(self) -> None:
        """Holds what tells speakers apart, where something does, to a dialogue; raises self_test.NotProven."""
        if self._diarizer is None or self._config.diarization_model is None:
            return
        find = self._diarizer.result().turns
        two_voices.prove_speakers(
            self._config.diarization_model,
            lambda samples: find(samples, SpeakerBounds(), (), is_cancelled=lambda: False),
        )

    def _measure_bfloat16(self) -> None:
        name, speed = processor(CPUINFO.read_text()), relative_speed("bfloat16")
        self._metrics.process.multiplies(name, speed)
        if speed < 1:
            slow = f"multiplies in bfloat16 at {speed:.2f} of the speed that it has in float32"
            log.warning("%s %s: set WHISPER_COMPUTE_TYPE to auto, or take nodes with AMX", name, slow)

    def prove(self, transcribe: Transcribe) -> None:
        """Holds the loaded model, whose transcriber this is, to the golden clip, and what tells speakers apart to a
        dialogue; raises self_test.NotProven."""
        with self._metrics.process.phase("prove"):
            config, language = self._config, self._config.clip_language
            most = config.golden_max_word_error_rate
            self_test.prove(config.clip_dir, most, lambda samples: transcribe(samples, language))
            self.prove_diarizer()
        self.check_digest(checkpoint(config))

    def check_digest(self, path: Path) -> threading.Thread | None:
        """Publishes the digest of the file at `path` once it is read, and is the promised one; None: it is known."""
        if self._model.info.digest is not None:
            return None

        def publish(digest: str) -> None:
            self._model.has_digest(digest)
            self._describe(digest)

        return check_digest(path, promised_digest(self._config), publish, self._on_wrong)

    def _check_given(self, path: Path) -> None:
        try:
            if path.is_dir():
                folder_files(path)
            else:
                path.open("rb").close()
        except NotLoadable as problem:
            raise CannotStart(f"WHISPER_MODEL names the folder {path}, which is no model: {problem}") from None
        except OSError as error:
            why = f"WHISPER_MODEL names {path}, which cannot be read ({error.strerror})"
            raise CannotStart(f"{why}: correct the path, or mount the file there") from None
        self._check_digest_of(path, self._config.model_sha256, "WHISPER_MODEL_SHA256")

    def _check_digest_of(self, path: Path, wanted: str | None, field: str) -> None:
        """Raises CannotStart where the file is not the wanted one; None: any is."""
        if wanted is None:
            return
        try:
            digest = checkpoint_sha256(path)
        except (NotLoadable, OSError) as error:
            raise CannotStart(f"{path} cannot be read: {error}") from None
        if digest != wanted:
            raise CannotStart(f"{path} has sha256 {digest}, but {field} is {wanted}: correct one of the two")
        self._model.has_digest(digest)


def checkpoint(config: RuntimeConfig) -> Path:
    """The path of the model's file, whether it is there yet or not.

    Raises CannotStart where an image is mounted that has not one model.
    """
    if config.model_image_dir:
        return _in_image(Path(config.model_image_dir))
    if "/" in config.model:
        return Path(config.model)
    return Path(checkpoint_path(config.model_dir, config.model, config.model_sha256))


def _in_image(directory: Path) -> Path:
    try:
        return mounted_model(directory)
    except FetchError as error:
        raise CannotStart(str(error)) from None
    except OSError as error:
        why = f"WHISPER_MODEL_IMAGE_DIR names {directory}, which cannot be read ({error.strerror})"
        raise CannotStart(f"{why}: mount the model's image there") from None
