"""Pictures and sound in messages: what is read, what is sent, and that a bad file costs its row alone."""

from __future__ import annotations

import base64
import copy
import logging
import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from echo_engine import echo
from media_files import FILES, JPEG, PNG, WAV

from dataflow.core import background
from dataflow.core.errors import CallError, ConfigError
from dataflow.core.protocols import Request, Scope
from dataflow.serving import media
from dataflow.serving.media import (
    audio_part,
    has_media,
    image_part,
    inlined,
    input_audio_part,
    sniff,
    text_part,
)
from dataflow.serving.vision import APIVLMServing_openai, about
from dataflow.testing.server import Faults, FaultyServer

Start = Callable[..., FaultyServer]


@pytest.fixture
def picture(tmp_path: Path) -> str:
    path = tmp_path / "a picture.dat"
    path.write_bytes(PNG)
    return str(path)


def of(server: FaultyServer, **settings: Any) -> APIVLMServing_openai:
    serving = APIVLMServing_openai(server.base_url, **({"model_name": "toy"} | settings))
    serving.policy = replace(serving.policy, backoff_s=0.005)
    serving._begin()
    return serving


def data_url(mime: str, data: bytes) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


# ---- files


@pytest.mark.parametrize("mime", FILES)
def test_kinds_are_told_by_their_bytes(mime: str) -> None:
    assert sniff(FILES[mime]) == mime


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"root:x:0:0", b"%PDF-1.7", b"RIFF", b"\xff\xe0", b"\0\0\0\0ftypisom"]
)
def test_other_bytes_are_no_media(data: bytes) -> None:
    assert sniff(data) is None


def test_an_mp3_without_tags() -> None:
    assert sniff(b"\xff\xfb\x90\x00") == "audio/mpeg"


def test_parts_are_read_when_sent(picture: str, tmp_path: Path) -> None:
    sound = tmp_path / "s.wav"
    sound.write_bytes(WAV)
    parts = [
        text_part("what?"),
        image_part(picture),
        image_part(Path(picture)),
        image_part(Path(picture).as_uri()),
        image_part("https://example.com/a.png"),
        image_part("data:image/png;base64,AAAA"),
        {"type": "image_url", "image_url": {"url": picture, "detail": "low"}},
        {"type": "image_url", "image_url": picture},
        audio_part(str(sound)),
        input_audio_part(sound),
        {"type": "video_url", "video_url": {"url": "/v.mp4"}},
        "words",
    ]
    request = Request(
        ({"role": "system", "content": "s"}, {"role": "user", "content": parts}), {"type": "object"}
    )
    sent = inlined(request)
    png, wav = data_url("image/png", PNG), data_url("audio/wav", WAV)
    assert sent.schema == request.schema
    assert sent.messages[0] == request.messages[0]
    assert sent.messages[1]["content"] == [
        {"type": "text", "text": "what?"},
        *[{"type": "image_url", "image_url": {"url": png}}] * 3,
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "image_url", "image_url": {"url": png, "detail": "low"}},
        {"type": "image_url", "image_url": {"url": png}},
        {"type": "audio_url", "audio_url": {"url": wav}},
        {"type": "input_audio", "input_audio": {"data": base64.b64encode(WAV).decode(), "format": "wav"}},
        {"type": "video_url", "video_url": {"url": "/v.mp4"}},
        "words",
    ]
    assert has_media(request)
    assert not has_media(Request.of("a"))


def bad_files(folder: Path) -> dict[str, object]:
    (folder / "text").write_text("no picture")
    (folder / "empty").write_bytes(b"")
    (folder / "sound").write_bytes(WAV)
    os.mkfifo(folder / "pipe")
    return {
        "names no image": None,
        "names no image file": "  ",
        "there is no image file": str(folder / "nothing"),
        "there is no image": str(folder),
        "no image file that models read": str(folder / "text"),
        "is no image file": str(folder / "empty"),
        "by its first bytes": str(folder / "sound"),
        "there is no": str(folder / "pipe"),
        "image file": "a\0b",
        "cannot be read|there is no": "x" * 5000,
        "no image": 7,
    }


def test_files_that_cannot_be_sent(tmp_path: Path) -> None:
    for fault, source in bad_files(tmp_path).items():
        with pytest.raises(CallError, match=fault) as caught:
            inlined(Request(({"role": "user", "content": [image_part(source)]},)))
        assert len(str(caught.value)) < 600


def test_files_too_large_are_not_read(picture: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "MAX_BYTES", 10)
    with pytest.raises(CallError, match=r"has 0\.0 MB; at most 0 are sent"):
        inlined(Request(({"role": "user", "content": [image_part(picture)]},)))


@pytest.mark.parametrize(
    ("name", "fault"),
    [("https://example.com/a.wav", "no address"), ("flac", "takes wav and mp3, and this is audio/flac")],
)
def test_sound_that_openai_does_not_take(name: str, fault: str, tmp_path: Path) -> None:
    (tmp_path / "flac").write_bytes(FILES["audio/flac"])
    source = name if "://" in name else tmp_path / name
    with pytest.raises(CallError, match=fault):
        inlined(Request(({"role": "user", "content": [input_audio_part(source)]},)))


# ---- calls


def test_a_question_about_each_picture(start: Start, picture: str) -> None:
    server = start(reply=echo)
    serving = of(server)
    (reply,) = serving.generate_from_input([picture], "What is this?")
    body = orjson.loads(reply or "")
    content = [
        {"type": "image_url", "image_url": {"url": data_url("image/png", PNG)}},
        text_part("What is this?"),
    ]
    assert body["messages"] == [{"role": "user", "content": content}]
    assert body["temperature"] == 0
    assert orjson.loads(serving.chat_with_one_image(picture, "What is this?")) == body
    (labelled,) = serving.generate_from_input_multi_images([[picture, picture]], [["A:", ""]], "Compare.")
    assert orjson.loads(labelled or "")["messages"] == [
        {"role": "system", "content": "Compare."},
        {"role": "user", "content": [text_part("A:"), content[0], content[0]]},
    ]
    analysed = orjson.loads(serving.analyze_images_with_gpt([picture], ["A:"], "Compare."))
    assert analysed["messages"][1]["content"] == [text_part("A:"), content[0]]
    (asked,) = serving.generate_from_input_multi_images(
        [[picture]], [["A:"]], ["Which?"], system_prompt="Be brief."
    )
    assert orjson.loads(asked or "")["messages"][1]["content"][-1] == text_part("Which?")
    assert orjson.loads(asked or "")["messages"][0]["content"] == "Be brief."


def test_a_bad_row_costs_no_other(start: Start, picture: str, tmp_path: Path) -> None:
    serving = of(start(reply="seen"))
    images: list[Any] = [picture, str(tmp_path / "nothing.png"), picture, None, "https://example.com/x.png"]
    assert serving.generate_from_input(images) == ["seen", None, "seen", None, "seen"]
    assert sorted(serving.errors) == [1, 3]
    assert "there is no image file" in serving.errors[1]
    assert serving.generate_from_input_one_image(images, ["q"] * 5) == ["seen", None, "seen", None, "seen"]
    assert serving.generate_from_input_multi_images([[picture], [images[1]]], [["a"], ["b"]]) == [
        "seen",
        None,
    ]
    with pytest.raises(CallError, match="there is no image file"):
        serving.chat_with_one_image(images[1], "q")
    with pytest.raises(CallError, match="names no image"):
        serving.analyze_images_with_gpt([picture, ""], ["a", "b"])


def test_a_refused_row_keeps_its_error(start: Start, picture: str) -> None:
    serving = of(start(reply="seen", faults=Faults(status_400=1.0)))
    assert serving.generate_from_input([picture]) == [None]
    assert "HTTP 400" in serving.errors[0]
    with pytest.raises(CallError, match="HTTP 400"):
        serving.chat_with_one_image(picture, "q")


def test_faults_are_tried_again(start: Start, picture: str) -> None:
    server = start(reply="seen", faults=Faults(status_500=1.0, first_attempts=1))
    assert of(server).generate_from_input([picture] * 3) == ["seen"] * 3


def test_lists_of_different_lengths(start: Start) -> None:
    serving = of(start())
    with pytest.raises(ConfigError, match="1 image_paths, 2 text_prompts"):
        serving.generate_from_input_one_image(["a"], ["b", "c"])
    with pytest.raises(ConfigError, match="1 list_of_image_paths, 0 list_of_image_labels"):
        serving.generate_from_input_multi_images([["a"]], [])
    with pytest.raises(ConfigError, match="2 images, 1 labels"):
        about(["a", "b"], "q", ["one"])


def test_another_model_for_one_call(start: Start, picture: str) -> None:
    serving = of(start(reply=echo))
    assert orjson.loads(serving.chat_with_one_image(picture, "q", model="other"))["model"] == "other"
    assert orjson.loads(serving.chat_with_one_image(picture, "q", timeout=5))["model"] == "toy"
    assert serving._with("toy", 5).timeouts == (10.0, 5)
    assert serving._with("toy", 5) is serving._with("toy", 5)
    assert serving.model_name == "toy"
    assert serving._with("other", 1800.0).fingerprint != serving.fingerprint
    serving.cleanup()
    assert serving._others == {}


def test_messages_with_paths_are_journalled_by_what_is_in_the_file(
    start: Start, acting: Any, picture: str
) -> None:
    server = start(reply="seen")
    serving = of(server)
    with acting():
        conversation = [list(about([picture], "q"))]
        assert serving.generate_from_conversations(conversation) == ["seen"]
        assert serving.generate_from_conversations(conversation) == ["seen"]
        assert server.calls == 1
        Path(picture).write_bytes(JPEG)
        assert serving.generate_from_conversations(conversation) == ["seen"]
        assert server.calls == 2


def test_large_pictures_go_through(start: Start, acting: Any, tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(PNG + os.urandom(4 * 2**20))
    server = start(reply=lambda body: str(len(body["messages"][0]["content"][0]["image_url"]["url"])))
    with acting():
        (size,) = of(server).generate_from_input([str(path)])
    assert int(size or 0) > 5 * 2**20
    assert (tmp_path / "journal.sqlite").stat().st_size < 2**20


def test_no_message_quotes_a_picture_whole(
    start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(PNG + os.urandom(100_000))

    def refuse(body: dict[str, Any]) -> str:
        raise ValueError(orjson.dumps(body).decode())

    logging.getLogger("dataflow.testing.server").disabled = True
    try:
        serving = of(start(reply=refuse), max_retries=1)
        assert serving.generate_from_input([str(path)]) == [None]
    finally:
        logging.getLogger("dataflow.testing.server").disabled = False
    assert "base64" in serving.errors[0]
    assert len(serving.errors[0]) < 600
    assert len(caplog.text) < 5000


def test_few_pictures_are_in_memory_at_a_time(
    start: Start, picture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start(reply="seen", latency_s=0.005)
    serving = of(server, max_workers=2)
    read: list[int] = []

    def counting(request: Request) -> Request:
        read.append(server.answered)
        return inlined(request)

    monkeypatch.setattr("dataflow.serving.vision.inlined", counting)
    prompts = [f"q{i}" for i in range(40)]
    assert serving.generate_from_input_one_image([picture] * 40, prompts) == ["seen"] * 40
    assert all(i - answered <= 2 * 2 for i, answered in enumerate(read))


def test_ask_reads_files_too(start: Start, picture: str) -> None:
    serving = of(start(reply="seen"))
    assert background.run(serving.ask(Request(about([picture], "q")), Scope())).text == "seen"
    assert serving.generate_from_conversations([[{"role": "user", "content": "plain"}]]) == ["seen"]


@pytest.mark.parametrize(
    ("model", "sent"),
    [("o4-mini", False), ("openai/o3", False), ("gpt-5-mini", False), ("gpt-4o", True), ("o-model", True)],
)
def test_temperature_is_left_out_for_models_that_refuse_it(model: str, sent: bool) -> None:
    assert ("temperature" in APIVLMServing_openai(model_name=model).sampling) is sent


def test_copies(start: Start, picture: str) -> None:
    serving = of(start(reply="seen"))
    assert serving.generate_from_input([picture]) == ["seen"]
    for twin in (pickle.loads(pickle.dumps(serving)), copy.deepcopy(serving)):
        assert twin.generate_from_input([picture]) == ["seen"]
