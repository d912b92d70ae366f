"""The front: takes requests, also where no server is ready, keeps their bytes, and passes them on to servers."""
