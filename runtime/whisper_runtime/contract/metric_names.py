"""Names of the metrics that other programs read: alerts, dashboards, autoscalers."""

from __future__ import annotations

from typing import Final

TRANSCRIPTIONS_METRIC: Final = "whisper_transcription_total"
TRANSCRIPTION_SECONDS_METRIC: Final = "whisper_transcription_duration_seconds"
AUDIO_SECONDS_METRIC: Final = "whisper_audio_duration_seconds"
FIRST_TEXT_METRIC: Final = "whisper_time_to_first_text_seconds"
CLIENT_AUDIO_METRIC: Final = "whisper_client_audio_seconds_total"
REQUESTS_IN_FLIGHT_METRIC: Final = "whisper_requests_in_flight"
ROWS_IN_FLIGHT_METRIC: Final = "whisper_rows_in_flight"
REQUESTS_METRIC: Final = "whisper_requests_total"
QUEUED_AUDIO_METRIC: Final = "whisper_queued_audio_seconds"
REALTIME_FACTOR_METRIC: Final = "whisper_realtime_factor"
READY_METRIC: Final = "whisper_ready"
MODEL_LOAD_METRIC: Final = "whisper_model_load_seconds"
MODEL_INFO_METRIC: Final = "whisper_model_info"
OLDEST_WAIT_METRIC: Final = "whisper_oldest_wait_seconds"
SATURATION_METRIC: Final = "whisper_saturation_ratio"
STAGE_SECONDS_METRIC: Final = "whisper_stage_duration_seconds"
DEVICE_MEMORY_METRIC: Final = "whisper_device_memory_bytes"
THREADS_METRIC: Final = "whisper_threads"
BFLOAT16_SPEED_METRIC: Final = "whisper_bfloat16_speed_ratio"
USER_METRIC: Final = "whisper_process_user_id"
EGRESS_METRIC: Final = "whisper_egress_open"
BATCH_FILL_METRIC: Final = "whisper_batch_fill_ratio"
REJECTIONS_METRIC: Final = "whisper_rejections_total"
ERRORS_METRIC: Final = "whisper_errors_total"
AUTOSCALING_METRICS: Final = (SATURATION_METRIC, QUEUED_AUDIO_METRIC, OLDEST_WAIT_METRIC, REALTIME_FACTOR_METRIC)
"""The metrics of each pod for an autoscaler, the best one first."""
TRANSCRIPTION_SECONDS_BUCKETS: Final = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
"""Upper bounds in seconds; alerts cannot distinguish durations above the last one."""
FETCHED_BYTES_METRIC: Final = "whisper_fetch_bytes"
FETCH_TOTAL_METRIC: Final = "whisper_fetch_total_bytes"
FETCH_SPEED_METRIC: Final = "whisper_fetch_bytes_per_second"
FETCH_LEFT_METRIC: Final = "whisper_fetch_left_seconds"
