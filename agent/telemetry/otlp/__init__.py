"""OTLP 1.9, protobuf over HTTP: exactly the messages that reports need, written and read by us, strictly."""
