//! What other systems tell us: a file per sender.
