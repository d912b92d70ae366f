"""The parts of a WhisperService's spec, one module for each subject that changes by itself."""
