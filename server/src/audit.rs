//! What is recorded of every act.
