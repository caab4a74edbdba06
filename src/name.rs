//! Newtypes for names and ids.
