//! The one integration test program.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test may panic")]

/// The rooms of src/ import downward only, and are named after what they hold.
mod layers;
