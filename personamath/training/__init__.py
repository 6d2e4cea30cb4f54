"""Fine-tuning: rows made into examples, and what a run leaves behind. Never sees a teacher."""
