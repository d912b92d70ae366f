"""`kubectl whisper`: looks at services and uses them from a terminal, with the rights of whoever runs it."""
