"""The part of PersonaMath that talks to the Hugging Face Hub: it publishes folders as versions."""
