"""The layers around the routes. Each translates ASGI and decides nothing itself; http/app.py has them in order."""
