"""How many seconds of speech are given to the wrong speaker, in dialogues whose truth is known."""
