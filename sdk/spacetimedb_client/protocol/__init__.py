"""The WebSocket protocols without I/O: frames in, events out; calls in, frames out."""
