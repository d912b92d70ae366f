"""Makes one call and prints what came of it as one line of JSON: run.py CLIENT.PY SERVER KEY FILE TASK."""

import importlib.util
import json
import sys


def main(program, server, key, file, task):
    spec = importlib.util.spec_from_file_location("client", program)
    client = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(client)
    try:
        answer = client.call(server, key, file, task)
    except Exception as error:
        answer = {
            "error": {"status": getattr(error, "status_code", None), "message": f"{error} {error.__cause__ or ''}"}
        }
    print(json.dumps(answer), flush=True)


main(*sys.argv[1:])
