"""The languages of Whisper's models, by the codes of openai-whisper's table."""

from __future__ import annotations

from typing import Final

LANGUAGE_CODES: Final = (
    "en", "zh", "de", "es", "ru", "ko", "fr", "ja", "pt", "tr", "pl", "ca", "nl", "ar", "sv", "it",
    "id", "hi", "fi", "vi", "he", "uk", "el", "ms", "cs", "ro", "da", "hu", "ta", "no", "th", "ur",
    "hr", "bg", "lt", "la", "mi", "ml", "cy", "sk", "te", "fa", "lv", "bn", "sr", "az", "sl", "kn",
    "et", "mk", "br", "eu", "is", "hy", "ne", "mn", "bs", "kk", "sq", "sw", "gl", "mr", "pa", "si",
    "km", "sn", "yo", "so", "af", "oc", "ka", "be", "tg", "sd", "gu", "am", "yi", "lo", "uz", "fo",
    "ht", "ps", "tk", "nn", "mt", "sa", "lb", "my", "bo", "tl", "mg", "as", "tt", "haw", "ln", "ha",
    "ba", "jw", "su", "yue",
)  # fmt: skip
"""In the table's order, of which a model knows the first 99 or all (`whisper.tokenizer.LANGUAGES`)."""
ADDED_BY_LARGE_V3: Final = "yue"
"""The last one, which models before large-v3 do not know."""
MODELS_OF_ALL: Final = ("large-v3", "large", "large-v3-turbo", "turbo")
"""openai-whisper's models that know all of them."""
