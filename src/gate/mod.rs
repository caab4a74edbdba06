//! The verdict that pipelines ask for.
