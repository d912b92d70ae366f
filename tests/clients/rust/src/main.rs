//! Makes one call with async-openai and prints what came of it as one line of JSON: clients SERVER KEY FILE TASK.

#![allow(deprecated)] // translations, which end with whisper-1 at OpenAI

use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::types::audio::{
    AudioInput, AudioResponseFormat, CreateTranscriptionRequest, CreateTranscriptionResponseStreamEvent,
    CreateTranslationRequest, TimestampGranularity,
};
use async_openai::Client;
use futures::StreamExt;
use serde_json::{json, Value};

async fn call(server: &str, key: &str, file: &str, task: &str) -> Result<Value, OpenAIError> {
    let config = OpenAIConfig::new().with_api_base(format!("{server}/v1")).with_api_key(key);
    let client = Client::with_config(config);
    let audio = client.audio();
    let mut request = CreateTranscriptionRequest {
        file: AudioInput::from(file),
        model: "whisper-1".into(),
        ..Default::default()
    };
    match task {
        "json" => Ok(json!({"text": audio.transcription().create(request).await?.text})),
        "words" => {
            request.response_format = Some(AudioResponseFormat::VerboseJson);
            request.timestamp_granularities = Some(vec![TimestampGranularity::Word, TimestampGranularity::Segment]);
            let found = audio.transcription().create_verbose_json(request).await?;
            let words: Vec<Value> = found
                .words
                .unwrap_or_default()
                .iter()
                .map(|word| json!([word.word, word.start, word.end]))
                .collect();
            Ok(json!({
                "text": found.text, "words": words, "language": found.language, "duration": found.duration,
            }))
        }
        "srt" => {
            request.response_format = Some(AudioResponseFormat::Srt);
            let bytes = audio.transcription().create_raw(request).await?;
            Ok(json!({"text": String::from_utf8_lossy(&bytes)}))
        }
        "stream" => {
            let mut stream = audio.transcription().create_stream(request).await?;
            let (mut deltas, mut text) = (Vec::new(), String::new());
            while let Some(event) = stream.next().await {
                match event? {
                    CreateTranscriptionResponseStreamEvent::TranscriptTextDelta(event) => deltas.push(event.delta),
                    CreateTranscriptionResponseStreamEvent::TranscriptTextDone(event) => text = event.text,
                    other => panic!("{other:?}"),
                }
            }
            Ok(json!({"deltas": deltas, "text": text}))
        }
        "translation" => {
            let request = CreateTranslationRequest {
                file: AudioInput::from(file),
                model: "whisper-1".into(),
                ..Default::default()
            };
            Ok(json!({"text": audio.translation().create(request).await?.text}))
        }
        other => panic!("unknown task {other}"),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, server, key, file, task] = &arguments[..] else { panic!("{arguments:?}") };
    let answer = call(server, key, file, task).await.unwrap_or_else(|error| {
        let status = match &error {
            OpenAIError::ApiError(response) => Some(response.status_code.as_u16()),
            _ => None,
        };
        json!({"error": {"status": status, "message": error.to_string()}})
    });
    println!("{answer}");
}
