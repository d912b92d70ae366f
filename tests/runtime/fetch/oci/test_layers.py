"""The files of layers that lie on each other, and which of them are the model's."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterator

import pytest

from tests.fakes.registry import digest_of
from tests.support.oci_models import FilesByName, tar
from whisper_runtime.fetch.checkpoint import LARGEST
from whisper_runtime.fetch.errors import FetchError
from whisper_runtime.fetch.oci.layers import (
    MOST_KEPT,
    LayerFile,
    ListedLayer,
    content_of,
    list_files,
    model_files,
    whole_layer,
)
from whisper_runtime.fetch.oci.manifest import Descriptor
from whisper_runtime.fetch.one_model import MOST_FILES, OF_WHISPER

NAME = "oci://r/m:v1"
FILES = {
    "config.json": b"{}",
    "models/a.pt": b"a" * 3000,
    "etc/b.pt": b"b",
    "models/deep/c.tar": b"c",
    "README.md": b"",
}


def layer(content: bytes) -> Descriptor:
    return Descriptor.model_validate({"digest": digest_of(content), "size": len(content)})


def listed(content: bytes, *before: ListedLayer, is_image: bool = True) -> dict[str, LayerFile]:
    return {**list_files(NAME, layer(content), iter([content]), is_image, before, OF_WHISPER).files}


def zipped_in_two(content: bytes) -> bytes:
    """As pigz and eStargz do."""
    return gzip.compress(content[:700]) + gzip.compress(content[700:])


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zipped_in_two])
@pytest.mark.parametrize("cut", [1, 7, 1 << 20])
def test_files_of_an_archive_are_found_in_blocks_of_any_size(pack: Callable[[bytes], bytes], cut: int) -> None:
    content = pack(tar(FILES))

    def blocks() -> Iterator[bytes]:
        return (content[at : at + cut] for at in range(0, len(content), cut))

    found = list_files(NAME, layer(content), blocks(), True, (), OF_WHISPER).files
    assert [*found] == ["config.json", "models/a.pt", "models/deep/c.tar"]
    for path, file in found.items():
        assert (file.size, file.sha256) == (len(FILES[path]), hashlib.sha256(FILES[path]).hexdigest())
        assert b"".join(content_of(NAME, file, blocks(), 1)) == FILES[path][1:]


def test_outside_of_an_image_any_folder_may_be_the_models() -> None:
    assert "etc/b.pt" in listed(tar(FILES), is_image=False)


def having(kept: int = 0, unpacked: int = 0) -> ListedLayer:
    """A layer that was read before, of which so much is kept."""
    file = LayerFile("a.json", kept, "", layer(b""), 0, bytes(kept))
    return ListedLayer({"a.json": file}, (), unpacked)


@pytest.mark.parametrize(("room", "content"), [(2, b"{}"), (1, None)])
def test_small_files_are_kept_where_room_is(room: int, content: bytes | None) -> None:
    found = listed(tar(FILES), having(kept=MOST_KEPT - room))
    assert found["config.json"].content == content
    assert found["models/a.pt"].content is None


def test_archives_that_unpack_to_more_than_any_model_are_refused() -> None:
    content = tar(FILES)
    assert listed(content, having(unpacked=LARGEST - len(content)))
    with pytest.raises(FetchError, match=f"it has more than {len(content) - 1} bytes"):
        listed(content, having(unpacked=LARGEST - len(content) + 1))


def test_a_layer_of_too_many_models_is_refused() -> None:
    with pytest.raises(FetchError, match="more than 4096 of its files may be a model's"):
        listed(tar({f"{number}.pt": b"" for number in range(MOST_FILES + 1)}))


def test_what_an_image_takes_away_elsewhere_does_not_count() -> None:
    gone = tar({f"usr/share/doc/.wh.{number}": b"" for number in range(MOST_FILES + 1)} | {"models/.wh.a.pt": b""})
    assert list_files(NAME, layer(b""), iter([gone]), True, (), OF_WHISPER).removed == ["models/a.pt"]


def test_where_a_layer_is_other_content_that_is_what_is_wrong() -> None:
    def blocks() -> Iterator[bytes]:
        yield b"no archive"
        raise FetchError("ChecksumMismatch", "other content")

    with pytest.raises(FetchError, match="other content"):
        list_files(NAME, layer(b""), blocks(), True, (), OF_WHISPER)


@pytest.mark.parametrize(
    ("upper", "left"),
    [
        ({"models/.wh.a": b""}, {"models/b/1.pt"}),
        ({"models/.wh..wh..opq": b""}, set[str]()),
        ({"models/b/.wh..wh..opq": b"", "models/b/2.pt": b""}, {"models/a/1.pt", "models/a/2.pt", "models/b/2.pt"}),
        ({".wh.models": b"", "models/c.pt": b""}, {"models/c.pt"}),
        ({".wh..wh..opq": b""}, set[str]()),
        ({"models/.wh.other": b""}, {"models/a/1.pt", "models/a/2.pt", "models/b/1.pt"}),
    ],
)
def test_an_upper_layer_takes_files_away(upper: FilesByName, left: set[str]) -> None:
    below = listed(tar({"models/a/1.pt": b"", "models/a/2.pt": b"", "models/b/1.pt": b""}))
    assert list_files(NAME, layer(b""), iter([tar(upper)]), True, (), OF_WHISPER).on(below).keys() == left


def lying(*paths: str) -> dict[str, LayerFile]:
    return {path: LayerFile(path, 1, "", layer(b""), 0) for path in paths}


def test_the_one_checkpoint_is_taken() -> None:
    found = model_files(NAME, lying("config.json", "models/a.pt", "models/tokenizer.json"), OF_WHISPER)
    assert isinstance(found, LayerFile)
    assert found.path == "models/a.pt"


def test_the_files_of_the_one_folder_are_taken_by_their_names() -> None:
    found = model_files(
        NAME, lying("m/config.json", "m/model.safetensors", "m/-x.safetensors", "config.json"), OF_WHISPER
    )
    assert isinstance(found, dict)
    assert {name: file.path for name, file in found.items()} == {
        "config.json": "m/config.json", "model.safetensors": "m/model.safetensors",
    }  # fmt: skip


def test_a_file_that_was_pushed_alone_is_taken() -> None:
    found = whole_layer(NAME, layer(b""), "weights")
    assert model_files(NAME, found.files, OF_WHISPER) is found.files["weights"]


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_one_file_of_hugging_faces_stands_for_its_folder(name: str) -> None:
    found = whole_layer(NAME, layer(b""), name)
    assert model_files(NAME, found.files, OF_WHISPER) == {name: found.files[name]}
