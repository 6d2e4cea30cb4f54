"""The part of PersonaMath that knows the Hugging Face Hub: folders, cards, versions."""
