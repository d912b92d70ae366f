from langchain_community.document_loaders.parsers.audio import OpenAIWhisperParser
from langchain_core.documents.base import Blob


def call(server, key, file, task):
    response_format = {"json": "json", "srt": "srt"}[task]
    parser = OpenAIWhisperParser(api_key=key, base_url=f"{server}/v1", response_format=response_format)
    return {"text": " ".join(document.page_content for document in parser.parse(Blob.from_path(file)))}
