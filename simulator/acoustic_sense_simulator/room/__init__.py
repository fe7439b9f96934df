"""The static room: image sources of a shoebox and its response at an ambisonics microphone."""
