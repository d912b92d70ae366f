"""The words for each of Whisper's languages: other codes first, then names in English and in the language itself.

Codes: ISO 639-1, 639-2 (both sets) and 639-3, withdrawn ones, and those that Unicode's CLDR 49 replaces by one of
Whisper's codes (`languageAlias`: an individual language for the macrolanguage that is named by it, such as cmn for zh).
Names: openai-whisper's own, CLDR's in English and in each language, ISO 639-2's, and spellings in use beside them.
It is kept by hand and not generated: half of it stands in no single source, and a language seldom gets another name.
"""

from __future__ import annotations

from typing import Final

WORDS: Final = {
    "en": (
        "eng, en-gb-oed, english, australian english, canadian english, british english, american english, "
        "indian english"
    ),
    "zh": (
        "chi, cmn, zho, chinese, mandarin, simplified chinese, traditional chinese, 中文, 简体中文, 繁体中文, "
        "mandarin chinese, standard chinese, chinese simplified, chinese traditional, 汉语, 漢語, 普通话, 普通話, "
        "国语, 國語, 華語, 华语, 繁體中文, putonghua"
    ),
    "de": "deu, ger, german, austrian german, swiss high german, deutsch, österreichisches deutsch, hochdeutsch",
    "es": (
        "spa, spanish, castilian, latin american spanish, european spanish, mexican spanish, español, "
        "español latinoamericano, español de españa, español de méxico, castellano, español castellano"
    ),
    "ru": "rus, russian, русский, русский язык",
    "ko": "kor, korean, 한국어, 한국말",
    "fr": "fra, fre, french, canadian french, swiss french, français, français canadien, français suisse",
    "ja": "jpn, japanese, 日本語, にほんご, nihongo",
    "pt": (
        "por, portuguese, brazilian portuguese, european portuguese, português, português brasileiro, "
        "português do brasil, português europeu, português de portugal"
    ),
    "tr": "tur, turkish, türkçe, türk dili",
    "pl": "pol, polish, polski, język polski",
    "ca": "cat, catalan, valencian, català, valencià",
    "nl": "dut, nld, dutch, flemish, nederlands, vlaams, belgian dutch, belgisch-nederlands",
    "ar": "ara, arb, arabic, modern standard arabic, العربية, العربية الفصحى الحديثة, عربي, عربى, اللغة العربية",
    "sv": "swe, swedish, svenska",
    "it": "ita, italian, italiano",
    "id": "in, ind, indonesian, indonesia, bahasa indonesia",
    "hi": "hin, hindi, हिन्दी, हिंदी",
    "fi": "fin, finnish, suomi, suomen kieli",
    "vi": "vie, vietnamese, tiếng việt",
    "he": "heb, iw, hebrew, עברית, modern hebrew",
    "uk": "ukr, ukrainian, українська, українська мова",
    "el": "ell, gre, greek, ελληνικά, modern greek",
    "ms": "may, msa, zsm, malay, melayu, bahasa malaysia, bahasa melayu",
    "cs": "ces, cze, czech, čeština, český jazyk, česky",
    "ro": "mo, mol, ron, rum, romanian, moldavian, moldovan, română, limba română, moldovenească",
    "da": "dan, danish, dansk",
    "hu": "hun, hungarian, magyar, magyar nyelv",
    "ta": "tam, tamil, தமிழ்",
    "no": "nor, nb, nob, norwegian, norsk, norwegian bokmål, bokmål, norsk bokmål, bokmål norwegian",
    "th": "tha, thai, ไทย, ภาษาไทย",
    "ur": "urd, urdu, اردو",
    "hr": "hrv, scr, croatian, hrvatski, hrvatski jezik",
    "bg": "bul, bulgarian, български, български език",
    "lt": "lit, lithuanian, lietuvių, lietuvių kalba",
    "la": "lat, latin, latina, lingua latina",
    "mi": "mao, mri, maori, māori, te reo māori, te reo",
    "ml": "mal, malayalam, മലയാളം",
    "cy": "cym, wel, welsh, cymraeg",
    "sk": "slk, slo, slovak, slovenčina, slovenský jazyk, slovensky",
    "te": "tel, telugu, తెలుగు",
    "fa": "fas, per, pes, prs, persian, dari, فارسی, دری, farsi, زبان فارسی",
    "lv": "lav, lvs, latvian, latviešu, latviešu valoda",
    "bn": "ben, bengali, bangla, বাংলা",
    "sr": "cnr, hbs, scc, sh, srp, serbian, montenegrin, српски, srpski, serbo-croatian, crnogorski, црногорски",
    "az": "aze, azj, azerbaijani, azərbaycan, azeri, azərbaycan dili, azərbaycanca",
    "sl": "slv, slovenian, slovenščina, slovene, slovenski jezik",
    "kn": "kan, kannada, ಕನ್ನಡ",
    "et": "ekk, est, estonian, eesti, eesti keel",
    "mk": "mac, mkd, macedonian, македонски, македонски јазик",
    "br": "bre, breton, brezhoneg",
    "eu": "baq, eus, basque, euskara, euskera",
    "is": "ice, isl, icelandic, íslenska",
    "hy": "arm, hye, armenian, հայերեն, հայերէն",
    "ne": "nep, npi, nepali, नेपाली, nepalese",
    "mn": "khk, mon, mongolian, монгол, монгол хэл",
    "bs": "bos, bosnian, bosanski, bosanski jezik",
    "kk": "kaz, kazakh, қазақ тілі, қазақ, қазақша",
    "sq": "alb, als, sqi, albanian, shqip, gjuha shqipe",
    "sw": "swa, swc, swh, swahili, congo swahili, kiswahili",
    "gl": "glg, galician, galego, gallego",
    "mr": "mar, marathi, मराठी",
    "pa": "pan, punjabi, panjabi, ਪੰਜਾਬੀ, پنجابی",
    "si": "sin, sinhala, sinhalese, සිංහල",
    "km": "khm, khmer, ខ្មែរ, ភាសាខ្មែរ, cambodian, central khmer",
    "sn": "sna, shona, chishona",
    "yo": "yor, yoruba, èdè yorùbá, yorùbá",
    "so": "som, somali, soomaali, af soomaali, soomaaliga",
    "af": "afr, afrikaans",
    "oc": "oci, occitan, lenga d'òc",
    "ka": "geo, kat, georgian, ქართული",
    "be": "bel, belarusian, беларуская, byelorussian, belorussian, беларуская мова",
    "tg": "tgk, tajik, тоҷикӣ, забони тоҷикӣ, tajiki",
    "sd": "snd, sindhi, سنڌي",
    "gu": "guj, gujarati, ગુજરાતી",
    "am": "amh, amharic, አማርኛ",
    "yi": "ji, ydd, yid, yiddish, ייִדיש, יידיש, אידיש",
    "lo": "lao, ລາວ, ພາສາລາວ, laotian",
    "uz": "uzb, uzn, uzbek, o'zbek, o'zbek tili, o'zbekcha, ўзбек, ўзбекча, ўзбек тили",
    "fo": "fao, faroese, føroyskt, faeroese, føroyskt mál",
    "ht": "hat, haitian creole, haitian, kreyòl ayisyen, kreyòl",
    "ps": "pbu, pus, pashto, pushto, پښتو",
    "tk": "tuk, turkmen, türkmen dili, türkmen, türkmençe",
    "nn": "nno, nynorsk, norwegian nynorsk, norsk nynorsk, nynorsk norwegian, no-nyn",
    "mt": "mlt, maltese, malti",
    "sa": "san, sanskrit, संस्कृत भाषा, संस्कृतम्, संस्कृत",
    "lb": "ltz, i-lux, luxembourgish, letzeburgesch, lëtzebuergesch",
    "my": "bur, mya, myanmar, burmese, မြန်မာ, မြန်မာဘာသာ, မြန်မာစာ",
    "bo": "bod, tib, tibetan, བོད་སྐད་, བོད་ཡིག, བོད་སྐད",
    "tl": "fil, tgl, tagalog, filipino, pilipino, wikang tagalog, wikang filipino",
    "mg": "mlg, plt, malagasy",
    "as": "asm, assamese, অসমীয়া",
    "tt": "tat, tatar, татар, татарча, татар теле, tatarça",
    "haw": "hawaiian, 'ōlelo hawai'i",
    "ln": "lin, lingala, lingála",
    "ha": "hau, hausa, harshen hausa",
    "ba": "bak, bashkir, башҡорт, башҡорт теле, башҡортса",
    "jw": "jav, jv, javanese, jawa, basa jawa",
    "su": "sun, sundanese, basa sunda, sunda",
    "yue": (
        "cantonese, 粵語, zh-yue, yue chinese, chinese cantonese, cantonese chinese, 粤语, 廣東話, 广东话, "
        "廣州話, 广州话, 中文 粵語, 中文 粤语, 中文 廣東話, 中文 广东话"
    ),
}
"""By Whisper's code, in small letters, separated by commas; `en` itself is not repeated."""
LANGUAGE_OF_COUNTRY: Final = {
    "al": "sq", "at": "de", "by": "be", "ch": "de", "cn": "zh", "cz": "cs", "dk": "da", "ee": "et", "gb": "en",
    "ge": "ka", "gr": "el", "hk": "zh", "ie": "en", "ir": "fa", "jp": "ja", "kh": "km", "kr": "ko", "kz": "kk",
    "mm": "my", "mx": "es", "np": "ne", "ph": "tl", "pk": "ur", "rs": "sr", "se": "sv", "tw": "zh", "ua": "uk",
    "us": "en", "vn": "vi",
}  # fmt: skip
"""What who writes a country's code as a language most likely means (CLDR's `likelySubtags`), for the message alone."""
