//! What makes a restart harmless: inbox, outbox, leases, due work.
