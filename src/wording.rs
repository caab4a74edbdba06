//! Every sentence said to people.
