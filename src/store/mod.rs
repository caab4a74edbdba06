//! The only SQL on our own store.
